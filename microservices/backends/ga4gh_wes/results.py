"""Which of a run's outputs are results, and how they come home."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from yarl import URL

from microservices.backends.archives import unpack_file
from microservices.backends.base import ResultKind, ResultMember, ResultRefusedError, SiteError, SiteFile
from microservices.backends.download import Source, check_size, download_file, is_secure
from microservices.backends.egress import read_address
from microservices.backends.filenames import check_filename
from microservices.backends.ga4gh_wes.answers import explain_answer
from microservices.backends.ga4gh_wes.buckets import find_object, sign_place
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.outputs import Output, collect_outputs
from microservices.backends.ga4gh_wes.recipe import Recipe, read_recipe
from microservices.backends.ga4gh_wes.runs import read_run_log
from microservices.backends.ga4gh_wes.words import clean_words

_IMPUTED = re.compile(r".*\.(vcf|bcf)(\.gz)?(\.(tbi|csi))?|.*\.info(\.gz)?", re.IGNORECASE)
_REPORT = re.compile(r".*(qc|quality|report).*\.(html|txt|pdf|csv|tsv|json)", re.IGNORECASE)
_LONGEST_PLACE = 300
# Before the place of a result that the recipe wants and the platform cannot reach: it is told when its turn comes.
_NOWHERE = "unreachable:"
_LOG = re.compile(r".*\.(log|err|out)|stdout|stderr", re.IGNORECASE)


async def list_results(client: WesClient, run_id: str, document: dict[str, Any] | None = None) -> list[SiteFile]:
    """What can be fetched, and what the recipe wants though nobody can.

    Raises `ResultRefusedError` (permanent) when the site has outputs, but none of them is a result by the recipe, or
    none can leave the site.
    """
    recipe = read_recipe(document) if document is not None else None
    outputs = collect_outputs((await read_run_log(client, run_id)).outputs)
    wanted = [(output, kind) for output in outputs if (kind := _choose_kind(recipe, output.name)) is not None]
    if outputs and not wanted:
        raise _refuse_outputs(
            f"None of the run's {len(outputs)} outputs fits the patterns of the panel's recipe.",
            "results_unmatched",
            "A curator has to correct the recipe's outputs.",
        )
    placed = [(output, kind, _place(client, run_id, output)) for output, kind in wanted]
    if wanted and not any(locator for _output, _kind, locator in placed):
        first = wanted[0][0]
        raise _refuse_place(f"None of the run's {len(wanted)} results can be fetched: {first.name}", first.place)
    is_declared = recipe is not None and bool(recipe.outputs)
    offered = [
        _offer(output, kind, locator or _NOWHERE + output.place)
        for output, kind, locator in placed
        if locator is not None or is_declared
    ]
    return _make_distinct(offered)


def _choose_kind(recipe: Recipe | None, name: str) -> ResultKind | None:
    return recipe.find_kind(name) if recipe is not None and recipe.outputs else classify_output(name)


def classify_output(name: str) -> ResultKind:
    """What an output is, by its name alone."""
    base = PurePosixPath(name).name
    if _IMPUTED.fullmatch(base):
        return "imputed_data"
    if _REPORT.fullmatch(base):
        return "quality_report"
    return "log" if _LOG.fullmatch(base) else "metadata"


def unpack_results(_client: WesClient, file: SiteFile, path: Path, password: str | None) -> Iterator[ResultMember]:
    """Members of an archive are told by their names; a file that is none is what the recipe called it."""

    def classify(name: str) -> ResultKind:
        return file.kind if name == file.filename else classify_output(name)

    return unpack_file(file, path, password, classify)


def _refuse_outputs(message: str, code: str, fix: str) -> ResultRefusedError:
    return ResultRefusedError(message, code=code, permanent=True, whose="platform", fix=fix)


def _refuse_place(what: str, place: str) -> ResultRefusedError:
    return _refuse_outputs(
        f"{what} lies at {_show_place(place)}, which the platform cannot reach.",
        "results_not_downloadable",
        "A curator has to set api_config.output_root (a mounted directory, or s3://… where the platform may read),"
        " or use a workflow that puts its results where a URL leads.",
    )


def _show_place(place: str) -> str:
    return clean_words(place)[:_LONGEST_PLACE]


def _place(client: WesClient, run_id: str, output: Output) -> str | None:
    """Where the platform can fetch an output; None where it cannot.

    What the server itself serves is asked for at `base_url`: behind a proxy it may know itself by another address.
    """
    own = f"/runs/{quote(run_id, safe='')}/outputs/"
    try:
        url = urlsplit(output.place)
    except ValueError:
        return None
    if url.scheme in ("http", "https"):
        if own in url.path and not url.query:
            return str(client.address(own + url.path.partition(own)[2]))
        address = read_address(output.place)
        return output.place if address is not None and is_secure(client.connection, address) else None
    if url.scheme == "s3":
        return output.place if find_object(client.connection, output.place) is not None else None
    root = client.connection.api_config.output_root
    if url.scheme == "file" and root and _find_file(root, output.place) is not None:
        return output.place
    return None


def _find_file(root: str, place: str) -> Path | None:
    """A file below the directory that the curator named; links that lead out of it lead nowhere."""
    try:
        path = Path(unquote(urlsplit(place).path)).resolve(strict=True)
        return path if path.is_relative_to(Path(root).resolve(strict=True)) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _offer(output: Output, kind: ResultKind, locator: str) -> SiteFile:
    sizes = (output.size, output.size) if output.size is not None else None
    return SiteFile(check_filename(output.name.removeprefix("./")), kind, locator, sizes)


def _make_distinct(files: list[SiteFile]) -> list[SiteFile]:
    """Engines may give several files one name, each in a folder of its own."""
    distinct: dict[str, SiteFile] = {}
    for file in files:
        name, number = file.filename, 1
        while name in distinct:
            number += 1
            name = f"{number}/{file.filename}"
        distinct[name] = SiteFile(name, file.kind, file.locator, file.size_range)
    return list(distinct.values())


async def fetch_file(client: WesClient, file: SiteFile, destination: Path) -> None:
    """Raises `ResultRefusedError` or `SiteUnavailableError`; the token goes to the server itself only."""
    if file.locator.startswith(_NOWHERE):
        raise _refuse_place(file.filename, file.locator.removeprefix(_NOWHERE))
    if file.locator.startswith("file:"):
        await asyncio.to_thread(_copy_file, client, file, destination)
        return
    headers = await client.authorise()

    def explain(response: aiohttp.ClientResponse, body: bytes, refused: SiteFile) -> SiteError:
        answer = client.understand(response, body)
        if answer.status in (400, 403, 404, 410):
            lies = f", which lies at {_show_place(file.locator)}" if file.locator.startswith("s3:") else ""
            words = f"The site, or its storage, refused {refused.filename}{lies} ({answer.status}). {answer.words}"
            return ResultRefusedError(words.strip(), code="link_refused")
        return explain_answer(answer)

    source = Source(
        client.session,
        client.connection,
        client.deadlines.download_idle_s,
        explain,
        lambda url: headers if client.is_own(url) else {},
    )
    address = URL(file.locator, encoded=True)
    if address.scheme == "s3":
        signed = await sign_place(client.connection, file.locator)
        if signed is None or not is_secure(client.connection, signed):
            raise _refuse_place(file.filename, file.locator)
        address = signed
    await download_file(source, address, file, destination)


def _copy_file(client: WesClient, file: SiteFile, destination: Path) -> None:
    path = _find_file(client.connection.api_config.output_root or os.devnull, file.locator)
    if path is None:
        raise ResultRefusedError(f"The file {file.filename} is not (any more) in output_root.", code="link_refused")
    try:
        check_size(file, path.stat().st_size, path.stat().st_size)
        shutil.copyfile(path, destination)
    except OSError as error:
        destination.unlink(missing_ok=True)
        raise SiteError(
            f"The platform could not copy {file.filename}: {error.strerror}.", code="spool_unwritable", whose="platform"
        ) from error
