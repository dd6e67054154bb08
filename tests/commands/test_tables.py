"""What people read on their terminals."""

from uuid import uuid4

import pytest

from imputehub.commands import _progress


def test_ids_are_shown_whole_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress.console, "width", 80)
    job_id = str(uuid4())
    with _progress.console.capture() as shown:
        _progress.show_table(("id", "name", "created"), [(job_id, "a name of many words " * 5, "2026-11-22T16:23:38Z")])
    assert job_id in shown.get()
