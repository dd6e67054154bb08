"""Which outputs are results, in every engine's form, and how they come home."""

import gzip
from pathlib import Path
from typing import Any

import pysam
import pytest
from aiohttp import web

from microservices.backends.base import (
    CredentialRefusedError,
    JobNotFoundError,
    ResultRefusedError,
    SiteError,
    SiteFile,
    SiteUnavailableError,
)
from microservices.backends.ga4gh_wes.outputs import collect_outputs
from tests.backends.stub_site import StubSite, run_site
from tests.backends_wes.dialects import RUN
from tests.backends_wes.wes_stub import BASE, TOKEN, open_wes, recipe

LOG = f"{BASE}/runs/{RUN}"
SAPPORO_FILES = f"{BASE}/runs/{RUN}/outputs"
WISH = recipe(outputs=[{"pattern": "*.dose.vcf.gz", "kind": "imputed_data"}, {"pattern": "qc/*", "kind": "summary"}])


def offer(site: StubSite, outputs: Any) -> None:
    site.answer(LOG, {"run_id": RUN, "state": "COMPLETE", "outputs": outputs})


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{"file_name": "a/b.txt", "file_url": "http://h/x/b.txt"}], [("a/b.txt", "http://h/x/b.txt", None)]),
        (
            {
                "out": {
                    "class": "File",
                    "location": "file:///r/o.vcf.gz",
                    "basename": "o.vcf.gz",
                    "size": 7,
                    "secondaryFiles": [{"class": "File", "location": "file:///r/o.vcf.gz.tbi"}],
                },
                "more": [{"class": "Directory", "listing": [{"class": "File", "path": "/r/d"}]}],
                "count": 3,
            },
            [
                ("o.vcf.gz", "file:///r/o.vcf.gz", 7),
                ("o.vcf.gz.tbi", "file:///r/o.vcf.gz.tbi", None),
                ("d", "/r/d", None),
            ],
        ),
        ({"wf.out": "s3://bucket/x%20y.vcf.gz"}, [("x y.vcf.gz", "s3://bucket/x%20y.vcf.gz", None)]),
        ({"a.txt": "file:///srv/a.txt"}, [("a.txt", "file:///srv/a.txt", None)]),
        (
            {"filesystem": ["out/a.vcf.gz", "work/b"], "S3": ["https://s/1?X=1", "https://s/2?X=2"]},
            [("out/a.vcf.gz", "https://s/1?X=1", None), ("work/b", "https://s/2?X=2", None)],
        ),
        (None, []),
        ({}, []),
        ("", []),
    ],
    ids=["sapporo", "cwl", "wdl", "starter kit", "weskit with S3", "null", "empty", "blank"],
)
def test_outputs_are_found_in_every_engine_s_form(outputs: Any, expected: list[tuple[str, str, int | None]]) -> None:
    assert [(output.name, output.place, output.size) for output in collect_outputs(outputs)] == expected


async def test_the_recipe_says_which_outputs_are_results_and_what_they_are() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        names = ["out/chr20.dose.vcf.gz", "qc/table.txt", "work/tmp.bin"]
        offer(site, [{"file_name": name, "file_url": f"{site.base_url}{SAPPORO_FILES}/{name}"} for name in names])
        found = await backend.results(RUN, WISH)
        assert [(file.filename, file.kind) for file in found] == [(names[0], "imputed_data"), (names[1], "summary")]


async def test_without_a_recipe_names_tell_what_results_are() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        names = ["chr20.dose.vcf.gz", "chr20.info.gz", "qc_report.txt", "run.log", "params.json"]
        offer(site, [{"file_name": name, "file_url": f"{site.base_url}/{name}"} for name in names])
        kinds = [file.kind for file in await backend.results(RUN)]
        assert kinds == ["imputed_data", "imputed_data", "quality_report", "log", "metadata"]


async def test_what_the_server_serves_is_asked_for_where_we_know_it() -> None:
    """A server behind a proxy calls itself by its inner address."""
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        offer(site, [{"file_name": "a b.txt", "file_url": f"http://0.0.0.0:1122/x/runs/{RUN}/outputs/a%20b.txt"}])
        (file,) = await backend.results(RUN)
        assert file.locator == f"{site.base_url}{SAPPORO_FILES}/a%20b.txt"


@pytest.mark.parametrize(
    ("outputs", "place"),
    [
        ({"x": "file:///srv/runs/x.dose.vcf.gz"}, "file:///srv/runs/x.dose.vcf.gz"),
        ({"filesystem": ["out/x.dose.vcf.gz", "work/.command.log"]}, "out/x.dose.vcf.gz"),
        ({"x": "s3://bucket/x.dose.vcf.gz"}, "s3://bucket/x.dose.vcf.gz"),
    ],
)
async def test_results_that_cannot_leave_the_site_are_told_of_with_their_place(outputs: Any, place: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        offer(site, outputs)
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(RUN, WISH)
        assert (refused.value.code, refused.value.permanent) == ("results_not_downloadable", True)
        assert place in refused.value.message


async def test_a_result_that_cannot_be_reached_is_told_of_and_keeps_no_other_away(tmp_path: Path) -> None:
    outputs = {"one": "s3://bucket/chr1.dose.vcf.gz", "note": "all went well"}
    async with run_site() as site, open_wes(site.base_url) as backend:
        offer(site, outputs | {"two": f"{site.base_url}/chr2.dose.vcf.gz"})
        site.answer("/chr2.dose.vcf.gz", body=b"genotypes")
        first, second = await backend.results(RUN, WISH)
        await backend.fetch(second, tmp_path / "f")
        assert (second.filename, (tmp_path / "f").read_bytes()) == ("chr2.dose.vcf.gz", b"genotypes")
        with pytest.raises(ResultRefusedError, match=r"chr1\.dose\.vcf\.gz lies at s3://bucket") as refused:
            await backend.fetch(first, tmp_path / "g")
        assert (refused.value.code, refused.value.permanent) == ("results_not_downloadable", True)


async def test_outputs_of_which_none_is_a_result_are_the_recipe_s_fault() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        offer(site, [{"file_name": "other.txt", "file_url": f"{site.base_url}/other.txt"}])
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(RUN, WISH)
        assert (refused.value.code, refused.value.whose) == ("results_unmatched", "platform")


async def test_equal_names_stay_apart_and_unsafe_ones_are_refused() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        offer(site, {"a": f"{site.base_url}/1/x.txt", "b": f"{site.base_url}/2/x.txt"})
        assert [file.filename for file in await backend.results(RUN)] == ["x.txt", "2/x.txt"]
        offer(site, [{"file_name": "../x.txt", "file_url": f"{site.base_url}/x.txt"}])
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(RUN)
        assert refused.value.code == "filename_unsafe"


async def test_a_run_that_is_gone_has_no_results() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(LOG, {"msg": f"Run ID {RUN} not found", "status_code": 404}, status=404)
        with pytest.raises(JobNotFoundError):
            await backend.results(RUN)


async def test_the_token_goes_to_the_server_and_to_nobody_else(tmp_path: Path) -> None:
    async with run_site() as site, run_site() as storage, open_wes(site.base_url, token=TOKEN) as backend:
        storage.answer("/signed", body=b"from storage")
        site.answer(f"{SAPPORO_FILES}/own.txt", body=b"own")
        site.answer(f"{SAPPORO_FILES}/moved.txt", status=302, headers={"Location": f"{storage.base_url}/signed?sig=1"})
        for name, content in (("own.txt", b"own"), ("moved.txt", b"from storage")):
            await backend.fetch(SiteFile(name, "metadata", f"{site.base_url}{SAPPORO_FILES}/{name}"), tmp_path / name)
            assert (tmp_path / name).read_bytes() == content
        await backend.fetch(SiteFile("s3", "metadata", f"{storage.base_url}/signed?sig=2"), tmp_path / "s3")
        assert all(request.headers["Authorization"] == f"Bearer {TOKEN}" for request in site.seen)
        assert [("Authorization" in request.headers, request.query) for request in storage.seen] == [
            (False, {"sig": "1"}),
            (False, {"sig": "2"}),
        ]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 404, "document": {"msg": "File not found"}}, ResultRefusedError),
        ({"status": 400, "text": "<Error>InvalidArgument</Error>"}, ResultRefusedError),
        ({"status": 403, "text": "<Error>Request has expired</Error>"}, ResultRefusedError),
        ({"status": 401, "document": {"msg": "no token"}}, CredentialRefusedError),
        ({"status": 503, "text": "later"}, SiteUnavailableError),
        ({"text": "<html>maintenance</html>", "content_type": "text/html"}, SiteUnavailableError),
        ({"body": b"12345"}, ResultRefusedError),
    ],
)
async def test_a_file_that_does_not_come_whole_leaves_nothing(
    answer: dict[str, Any], kind: type[SiteError], tmp_path: Path
) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer("/f", **answer)
        with pytest.raises(kind):
            await backend.fetch(SiteFile("f.txt", "metadata", f"{site.base_url}/f", (4, 4)), tmp_path / "f")
        assert not (tmp_path / "f").exists()


async def test_files_on_a_mounted_disk_are_read_below_its_root_only(tmp_path: Path) -> None:
    root, outside = tmp_path / "mounted", tmp_path / "secret.txt"
    root.mkdir()
    outside.write_text("secret")
    (root / "good result.txt").write_text("good")
    (root / "link.txt").symlink_to(outside)
    places = [root / "good result.txt", root / "link.txt", outside, root / ".." / "secret.txt"]
    async with run_site() as site, open_wes(site.base_url, output_root=str(root)) as backend:
        outputs = [{"class": "File", "location": place.as_uri(), "size": 4} for place in places[:3]]
        offer(site, {"files": outputs, "odd": f"file://{places[3]}"})
        (file,) = await backend.results(RUN)
        assert file.size_range == (4, 4)
        await backend.fetch(file, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_text() == "good"
        with pytest.raises(ResultRefusedError):
            await backend.fetch(SiteFile("x", "metadata", outside.as_uri()), tmp_path / "stolen")
        assert not (tmp_path / "stolen").exists()


async def test_a_plain_address_is_no_source_of_genotypes_on_the_internet() -> None:
    async with run_site() as site, open_wes(site.base_url) as inside:
        offer(site, {"a": "http://files.example.org/x.txt"})
        assert len(await inside.results(RUN)) == 1
        offer(site, {"a": "ftp://files.example.org/x.txt"})
        with pytest.raises(ResultRefusedError):
            await inside.results(RUN)


async def test_unpacked_genotypes_keep_their_kind_and_cut_ones_are_found(tmp_path: Path) -> None:
    async with open_wes("http://127.0.0.1:9") as backend:
        path = tmp_path / "spooled"
        with pysam.BGZFile(str(path), "wb", None) as file:
            file.write(b"##fileformat=VCFv4.2\n")
        offered = SiteFile("out/chr20.vcf.gz", "summary", "https://h/x")
        (member,) = [
            (m.filename, m.kind, gzip.decompress(m.stream.read())) for m in backend.unpack(offered, path, None)
        ]
        assert member == ("out/chr20.vcf.gz", "summary", b"##fileformat=VCFv4.2\n")
        path.write_bytes(path.read_bytes()[:-28])
        with pytest.raises(ResultRefusedError):
            [m.stream.read() for m in backend.unpack(offered, path, None)]


async def test_a_download_that_stops_half_way_is_not_asked_for_again(tmp_path: Path) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with run_site() as site, open_wes(site.base_url) as backend:
        site.handle("/f", break_off)
        with pytest.raises(SiteUnavailableError):
            await backend.fetch(SiteFile("f.txt", "metadata", f"{site.base_url}/f"), tmp_path / "f")
        assert site.count("/f") == 1
