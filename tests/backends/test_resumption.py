"""A download that broke goes on where it broke, where that is offered and costs nobody a download."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from microservices.backends import download
from microservices.backends.base import SiteFile, SiteUnavailableError
from microservices.backends.michigan import MichiganBackend
from tests.backends.stub_site import open_michigan, run_raw_site, run_site

PATH = "/share/results/abc/chr_20.zip"
CONTENT = bytes(range(256)) * 400


@dataclass
class Store:
    """A storage whose connections break; it may offer ranges, and its file may change in between."""

    etag: str = '"one"'
    ranges: str = "bytes"
    breaks: list[int] = field(default_factory=list)
    """After how many bytes of the answer each next connection ends."""
    changed: bytes | None = None
    fickle: bool = False
    """Another file with each answer."""
    part: tuple[int, int] | None = None
    """How many bytes before its end a rest ends, and how much larger its file is said to be."""
    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.asked.append(headers)
        content, etag = (CONTENT, self.etag) if len(self.asked) == 1 or self.changed is None else (self.changed, '"2"')
        etag = f'"{len(self.asked)}"' if self.fickle else etag
        start = 0
        if "range" in headers and headers.get("if-range") == etag:
            start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
        short, longer = self.part if start and self.part else (0, 0)
        content, size = content[: len(content) - short], len(content) + longer
        status = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(content) - 1}/{size}"
        offer = f"Accept-Ranges: {self.ranges}\r\nETag: {etag}\r\nContent-Length: {len(content) - start}"
        writer.write(f"HTTP/1.1 {status if start else '200 OK'}\r\n{offer}\r\n\r\n".encode())
        most = self.breaks.pop(0) if self.breaks else len(content)
        writer.write(content[start : start + most])
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def open_store(store: Store) -> AsyncIterator[tuple[MichiganBackend, list[str]]]:
    """The site sends whoever downloads on to the storage; the paths that the site itself was asked for."""
    async with run_site() as site, run_raw_site(store.answer) as address:
        site.answer(PATH, status=301, headers={"Location": f"{address}/bucket/chr_20.zip?signature=a%2Fb"})
        asked: list[str] = []
        async with open_michigan(site.base_url) as backend:
            yield backend, asked
        asked += [request.path for request in site.seen]


FILE = SiteFile("chr_20.zip", "imputed_data", PATH, (len(CONTENT), len(CONTENT)), 10)


async def test_what_a_storage_cut_off_is_asked_for_there_and_counted_once_at_the_site(tmp_path: Path) -> None:
    store = Store(breaks=[30_000, 50_000])
    async with open_store(store) as (backend, asked):
        await backend.fetch(FILE, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert asked == [PATH]
    assert [(seen.get("range"), seen.get("if-range")) for seen in store.asked] == [
        (None, None),
        ("bytes=30000-", '"one"'),
        ("bytes=80000-", '"one"'),
    ]


async def test_a_file_that_changed_meanwhile_is_taken_from_its_beginning(tmp_path: Path) -> None:
    store = Store(breaks=[30_000], changed=CONTENT[::-1])
    async with open_store(store) as (backend, _asked):
        await backend.fetch(FILE, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("store", [Store(etag='W/"one"'), Store(etag=""), Store(ranges="none")], ids=str)
async def test_without_ranges_and_a_strong_validator_nothing_is_asked_for_again(store: Store, tmp_path: Path) -> None:
    store.breaks = [30_000]
    async with open_store(store) as (backend, asked):
        with pytest.raises(SiteUnavailableError):
            await backend.fetch(FILE, tmp_path / "f")
    assert (len(store.asked), asked) == (1, [PATH])
    assert not (tmp_path / "f").exists()


async def test_a_site_that_counts_is_not_asked_again_though_it_offers_ranges(tmp_path: Path) -> None:
    store = Store(breaks=[30_000, 30_000])
    async with run_raw_site(store.answer) as address, open_michigan(address) as backend:
        with pytest.raises(SiteUnavailableError):
            await backend.fetch(FILE, tmp_path / "f")
        assert len(store.asked) == 1
        await backend.fetch(SiteFile("chr_20.zip", "imputed_data", PATH), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


async def test_a_storage_that_gives_no_more_ends_as_the_break_that_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(download, "RESUME_PAUSES_S", (0.0, 0.0))
    store = Store(breaks=[30_000] + [0] * 9)
    async with open_store(store) as (backend, _asked):
        with pytest.raises(SiteUnavailableError) as broke:
            await backend.fetch(FILE, tmp_path / "f")
    assert (broke.value.code, len(store.asked)) == ("connection_lost", 3)
    assert not (tmp_path / "f").exists()


async def test_a_storage_that_breaks_after_every_few_bytes_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(download, "RESUME_PAUSES_S", (0.0, 0.0))
    store = Store(breaks=[30_000, 2_000, *[100] * 50])
    async with open_store(store) as (backend, _asked):
        with pytest.raises(SiteUnavailableError, match=r"again and again.*: 32,000 bytes") as broke:
            await backend.fetch(FILE, tmp_path / "f")
    assert (broke.value.code, len(store.asked)) == ("connection_lost", 4)
    assert not (tmp_path / "f").exists()


async def test_a_storage_whose_file_changes_with_each_break_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(download, "RESUME_PAUSES_S", (0.0, 0.0))
    store = Store(breaks=[20_000, 10_000, 20_000] * 9, fickle=True)
    async with open_store(store) as (backend, _asked):
        with pytest.raises(SiteUnavailableError, match="again and again"):
            await backend.fetch(FILE, tmp_path / "f")
    assert len(store.asked) == 3


@pytest.mark.parametrize("part", [(100, 0), (0, 100), (100, -100)])
async def test_a_rest_that_is_not_all_of_it_or_of_another_size_is_not_taken(
    part: tuple[int, int], tmp_path: Path
) -> None:
    store = Store(breaks=[30_000], part=part)
    async with open_store(store) as (backend, _asked):
        with pytest.raises(SiteUnavailableError) as broke:
            await backend.fetch(SiteFile("chr_20.zip", "imputed_data", PATH, None, 10), tmp_path / "f")
    assert (broke.value.code, len(store.asked)) == ("connection_lost", 2)
    assert not (tmp_path / "f").exists()
