"""The figures of the documentation, as far as a simulated day is short."""

from __future__ import annotations

import pytest

from pipeflow.cost import WatchCost
from tests.watching.figures import a_day


@pytest.mark.parametrize("notes", [0, 12])
def test_news_cost_no_more_than_idle_polls(notes: int) -> None:
    day = a_day(1, interval=300.0, notes=notes)
    assert day.events == notes
    assert day.requests == pytest.approx(WatchCost(interval=300.0).requests, abs=6)
    assert day.tokens == 40 * day.requests


def test_with_webhooks_an_hour_is_often_enough() -> None:
    day = a_day(1, interval=3600.0, notes=12, pokes=True)
    assert day.events == 12
    assert 24 <= day.requests <= 24 + 2 * 12


def test_many_cost_what_they_cost_one_by_one() -> None:
    day = a_day(20, interval=3600.0)
    assert day.requests == pytest.approx(20 * 24, rel=0.05)


def test_a_checkpoint_is_small() -> None:
    assert a_day(1, interval=3600.0, undone=100, notes=99).checkpoint < 8_000
