"""Looking into a log from afar: newest first, narrowed down, page by page."""

import json
from pathlib import Path
from typing import Any

import pytest

from imputehub.local import log_search
from imputehub.local.errors import LocalPlatformError
from imputehub.local.log_search import LogQuery, read_entry, search_log


def write_log(home: Path, *lines: str | dict[str, Any], name: str = "django.log") -> None:
    (home / "logs").mkdir(exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (home / "logs" / name).write_text("".join(f"{text}\n" for text in texts))


def note(number: int, **others: Any) -> dict[str, Any]:
    fields = {
        "event": f"event {number}",
        "level": "info",
        "logger": "requests",
        "timestamp": f"2026-11-22T12:00:{number:02}Z",
    }
    return {**fields, **others}


def find_events(home: Path, **query: Any) -> list[str]:
    return [entry["event"] for entry in search_log(home, "django", LogQuery.read(query))["entries"]]


def test_the_newest_lines_come_first_with_their_fields(tmp_path: Path) -> None:
    write_log(tmp_path, note(1), note(2, request_id="abc-12345", status=200, path="/ü"))
    answer = search_log(tmp_path, "django", LogQuery())
    assert answer["older"] == ""
    assert [entry["event"] for entry in answer["entries"]] == ["event 2", "event 1"]
    assert answer["entries"][0] == {
        "time": "2026-11-22T12:00:02Z",
        "level": "info",
        "logger": "requests",
        "request_id": "abc-12345",
        "event": "event 2",
        "details": "status=200 path=/ü",
    }


def test_lines_are_chosen_by_level_text_and_request_id(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        note(1, level="warning"),
        note(2, request_id="abc-12345"),
        note(3, level="error", exception="Traceback\n  KeyError: 'grüße'"),
        note(4, details="abc-12345"),
        "Traceback (most recent call last):",
    )
    assert find_events(tmp_path, level="warning") == ["Traceback (most recent call last):", "event 3", "event 1"]
    assert find_events(tmp_path, level="error", text="GRÜSSE") == []
    assert find_events(tmp_path, text="keyerror: 'grüße'") == ["event 3"]
    assert find_events(tmp_path, request_id="abc-12345") == ["event 2"]
    assert find_events(tmp_path, request_id="abc-12345", level="critical") == []


def test_pages_lead_to_the_beginning_over_the_older_part_and_repeat_nothing(tmp_path: Path) -> None:
    write_log(tmp_path, *(note(number) for number in range(7)), name="django.log.1")
    write_log(tmp_path, *(note(number) for number in range(7, 12)))
    found: list[str] = []
    cursor = ""
    for _page in range(20):
        answer = search_log(tmp_path, "django", LogQuery(limit=3, before=cursor))
        found += [entry["event"] for entry in answer["entries"]]
        cursor = answer["older"]
        if not cursor:
            break
    assert found == [f"event {number}" for number in range(11, -1, -1)]


def test_a_page_goes_on_where_it_was_after_the_log_was_cut(tmp_path: Path) -> None:
    write_log(tmp_path, *(note(number) for number in range(6)))
    cursor = search_log(tmp_path, "django", LogQuery(limit=2))["older"]
    (tmp_path / "logs" / "django.log").rename(tmp_path / "logs" / "django.log.1")
    write_log(tmp_path, note(6))
    assert find_events(tmp_path, before=cursor) == ["event 3", "event 2", "event 1", "event 0"]


def test_a_search_that_finds_nothing_for_long_can_be_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "SEARCHED_BYTES", 2000)
    write_log(tmp_path, note(0, event="needle"), *(note(number % 60) for number in range(1000)))
    answer = search_log(tmp_path, "django", LogQuery(text="needle"))
    assert answer["entries"] == []
    pages = 0
    while not answer["entries"]:
        answer = search_log(tmp_path, "django", LogQuery(text="needle", before=answer["older"]))
        pages += 1
    assert pages > 10
    assert answer["entries"][0]["event"] == "needle"


def test_long_lines_are_read_whole_and_shown_shortened(tmp_path: Path) -> None:
    write_log(tmp_path, note(1, words="x" * 300_000), note(2))
    newest, long = search_log(tmp_path, "django", LogQuery())["entries"]
    assert newest["event"] == "event 2"
    assert long["event"] == "event 1"
    assert len(long["details"]) == log_search.LONGEST_ENTRY


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-22 12:00:00.000 UTC [7] LOG:  database system is ready to accept connections", "info"),
        ("2026-11-22 12:00:00.000 UTC [7] FATAL:  the database system is starting up", "critical"),
        ("17:M 22 Nov 2026 12:00:00.123 * Ready to accept connections tcp", "info"),
        ("17:M 22 Nov 2026 12:00:00.123 # WARNING: no overcommit", "warning"),
        ("INFO:     Application startup complete.", "info"),
        ("  File 'x.py', line 3", ""),
        ("[1, 2]", ""),
    ],
)
def test_lines_of_others_are_shown_whole_with_the_level_that_they_name(line: str, level: str) -> None:
    entry = read_entry(f"\x1b[32m{line}\x1b[0m")
    assert (entry["event"], entry["level"]) == (line, level)


@pytest.mark.parametrize("query", [{"level": "loud"}, {"before": "../../etc/passwd"}, {"before": "7:1"}])
def test_what_cannot_be_meant_is_refused(tmp_path: Path, query: dict[str, str]) -> None:
    write_log(tmp_path, note(1))
    with pytest.raises(LocalPlatformError):
        find_events(tmp_path, **query)


@pytest.mark.parametrize("name", ["", "nothing", "../secrets", "django.log"])
def test_a_log_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path, name: str) -> None:
    write_log(tmp_path, note(1))
    with pytest.raises(LocalPlatformError, match="there are django"):
        search_log(tmp_path, name, LogQuery())


def test_lines_that_no_page_could_hold_do_not_hide_the_others(tmp_path: Path) -> None:
    odd = '{"event": "half \\ud83d", "level": "info", "\\ud83d": ["\\ud83d"]}'
    nested = [f'{{"event": "deep", "at": {"[" * depth}{"]" * depth}}}' for depth in (300, 500, 800, 970, 100_000)]
    write_log(tmp_path, note(1), odd, "[" * 100_000, *nested)
    entries = search_log(tmp_path, "django", LogQuery())["entries"]
    assert len(entries) == 8
    assert [entry["event"] for entry in entries[-2:]] == ["half ?", "event 1"]
    assert entries[-2]["details"] == '?=["?"]'
    json.dumps(entries, ensure_ascii=False).encode()
