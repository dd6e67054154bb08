"""The cyclic collector's pace: a walk over what thousands of requests hold costs more than all that it could free."""

import gc
from collections.abc import Iterator

import pytest

from microservices.kernel.garbage import expect_requests


@pytest.fixture(autouse=True)
def restored_pace() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_collector_waits_longer_the_more_requests_are_under_way_and_no_longer_when_they_are_over() -> None:
    paces = []
    for count in (0, 10, 4000, 0):
        expect_requests(count)
        paces.append(gc.get_threshold()[0])
    usual, few, many, after = paces
    assert usual == few == after > 0
    assert many > 10 * usual
