"""Results in a bucket of an object store: asked for by a signed address, through the same guards as any other.

The platform's account may open more than a site should name, so that only what lies below the `output_root` that a
curator gave the site (`s3://bucket/prefix`) is signed for.
"""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from yarl import URL

from microservices.backends.base import BucketAccess, SiteConnection, SiteError

if TYPE_CHECKING:
    from obstore.store import S3Config  # is there for type checkers only

_SCHEME = "s3://"
_GOOD_FOR = timedelta(hours=24)


def find_object(connection: SiteConnection, place: str) -> tuple[BucketAccess, str, str] | None:
    """(access, bucket, key) of an output; None for one that the platform may not fetch."""
    root = (connection.api_config.output_root or "").rstrip("/")
    if connection.buckets is None or not root.startswith(_SCHEME) or not place.startswith(f"{root}/"):
        return None
    bucket, _, key = place.removeprefix(_SCHEME).partition("/")
    if any(part in ("", ".", "..") for part in key.split("/")):
        return None
    return connection.buckets, bucket, key


async def sign_place(connection: SiteConnection, place: str) -> URL | None:
    """The address of an output, good for a day and a secret; None where `find_object` finds none.

    Raises `SiteError` where the platform's account is not one.
    """
    found = find_object(connection, place)
    if found is None:
        return None
    try:
        return URL(await asyncio.to_thread(_sign, *found), encoded=True)
    except Exception as error:  # the library's own words may hold what is secret
        raise SiteError(
            f"The platform's access to the bucket cannot be used ({type(error).__name__}).",
            code="bucket_access_unusable",
            whose="platform",
            fix="An operator has to correct JOB_PROCESSOR_BUCKET_ACCESS.",
        ) from None


def _sign(access: BucketAccess, bucket: str, key: str) -> str:
    # Few sites have buckets, and loading it costs each worker 8 MB.
    import obstore
    from obstore.store import S3Store

    account: S3Config = {
        "access_key_id": access.access_key_id,
        "secret_access_key": access.secret_access_key,
        "region": access.region,
    }
    if access.endpoint is not None:
        account["endpoint"] = access.endpoint
    # Whether plain HTTP is good enough is for the download to judge.
    store = S3Store(bucket, config=account, client_options={"allow_http": True})
    return obstore.sign(store, "GET", key, _GOOD_FOR)
