"""Results that a workflow puts into a bucket come home by signed requests, from where the curator allows it only."""

import hashlib
import hmac
from functools import reduce
from pathlib import Path

import pytest
from aiohttp import web

from microservices.backends.base import BucketAccess, ResultRefusedError, SiteError, SiteFile
from tests.backends.stub_site import StubSite, run_site
from tests.backends_wes.test_wes_results import RUN, WISH, offer
from tests.backends_wes.wes_stub import TOKEN, open_wes

KEY_ID, SECRET = "platform", "pa55+key/"
PLACE = "s3://results/site a/chr20 (1).dose.vcf.gz"


def is_signed(request: web.Request) -> bool:
    """By AWS' documentation of Signature Version 4 in query parameters, for a request without a body."""
    query = dict(request.query)
    signature = query.pop("X-Amz-Signature", "")
    key_id, *scope = query["X-Amz-Credential"].split("/")
    path, words = request.rel_url.raw_path, sorted(request.rel_url.raw_query_string.split("&"))
    canonical = "&".join(word for word in words if not word.startswith("X-Amz-Signature="))
    asked = "\n".join(["GET", path, canonical, f"host:{request.host}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(asked.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], "/".join(scope), digest])
    key = reduce(lambda key, part: hmac.digest(key, part.encode(), "sha256"), scope, f"AWS4{SECRET}".encode())
    return key_id == KEY_ID and hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature)


def serve_object(store: StubSite, place: str) -> None:
    """Path style: the bucket is the first part."""

    async def give(request: web.Request) -> web.Response:
        if not is_signed(request):
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return web.Response(body=b"genotypes")

    store.handle(f"/{place.removeprefix('s3://')}", give)


async def test_a_result_in_a_bucket_is_fetched_with_the_platform_s_keys(tmp_path: Path) -> None:
    async with run_site() as site, run_site() as store:
        serve_object(store, PLACE)
        offer(site, {"chr20": PLACE})
        good = BucketAccess(KEY_ID, SECRET, store.base_url, "af-south-1")
        async with open_wes(site.base_url, token=TOKEN, buckets=good, output_root="s3://results/site a/") as backend:
            (file,) = await backend.results(RUN, WISH)
            await backend.fetch(file, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == b"genotypes"
        assert ["Authorization" in request.headers for request in store.seen] == [False]
        bad = BucketAccess(KEY_ID, "another", store.base_url, "af-south-1")
        async with open_wes(site.base_url, buckets=bad, output_root="s3://results/site a") as backend:
            with pytest.raises(ResultRefusedError, match=r"refused chr20 .*\(403\)") as refused:
                await backend.fetch(file, tmp_path / "g")
        assert f"lies at {PLACE} (403)" in refused.value.message
        assert (refused.value.whose, "X-Amz" in refused.value.message) == ("site", False)


@pytest.mark.parametrize(
    ("root", "place"),
    [
        ("s3://results/site a", "s3://results/site b/chr20.dose.vcf.gz"),
        ("s3://results/site a", "s3://results/site a/../site b/chr20.dose.vcf.gz"),
        ("s3://results/site", "s3://results/site a/chr20.dose.vcf.gz"),
        ("s3://", "s3://results/chr20.dose.vcf.gz"),
        ("/srv/results", "s3://results/chr20.dose.vcf.gz"),
        (None, "s3://results/chr20.dose.vcf.gz"),
    ],
)
async def test_nothing_is_signed_for_but_what_lies_below_the_site_s_own_place(
    tmp_path: Path, root: str | None, place: str
) -> None:
    async with run_site() as site, run_site() as store:
        offer(site, {"chr20": place})
        access = BucketAccess(KEY_ID, SECRET, store.base_url)
        async with open_wes(site.base_url, buckets=access, output_root=root) as backend:
            with pytest.raises(ResultRefusedError) as refused:
                await backend.results(RUN, WISH)
            assert (refused.value.code, place in refused.value.message) == ("results_not_downloadable", True)
            with pytest.raises(ResultRefusedError):
                await backend.fetch(SiteFile("chr20.dose.vcf.gz", "imputed_data", place), tmp_path / "f")
        assert store.seen == []


async def test_keys_that_cannot_sign_are_the_platform_s_fault(tmp_path: Path) -> None:
    async with run_site() as site:
        access = BucketAccess(KEY_ID, SECRET, "no address")
        async with open_wes(site.base_url, buckets=access, output_root="s3://results") as backend:
            with pytest.raises(SiteError) as refused:
                await backend.fetch(SiteFile("x", "metadata", "s3://results/x"), tmp_path / "f")
        assert (refused.value.code, refused.value.whose) == ("bucket_access_unusable", "platform")
        assert SECRET not in refused.value.message + refused.value.fix
