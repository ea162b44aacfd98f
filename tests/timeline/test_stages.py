from __future__ import annotations

from datetime import timedelta

import attrs

from pipeflow.timeline.stages import DealStages, Step, stages_of

from .histories import NOON, change, note


def seconds(days: float) -> int:
    return int((NOON - timedelta(days=days)).timestamp())


def test_a_deal_goes_through_its_stages_from_the_oldest() -> None:
    history = [
        change("status", "open", "won", days=1),
        change("stage_id", 2, 3, days=5),
        note("between"),
        change("value", 1, 2),
        change("stage_id", 1, 2, days=9),
    ]
    assert stages_of(history, None) == (
        DealStages(
            "House blend",
            (Step("1", None), Step("2", seconds(9)), Step("3", seconds(5))),
            "won",
            seconds(1),
        ),
    )


def test_a_deal_that_is_opened_again_is_open() -> None:
    history = [
        change("status", "lost", "open", days=1),
        change("status", "open", "lost", days=2),
        change("stage_id", None, 1, days=5, deal=8),
        change("stage_id", None, 1, days=6),
    ]
    first, second = stages_of(history, None)
    assert (first.title, first.outcome, first.closed) == ("House blend", "", None)
    assert (second.title, second.steps) == ("Deal 8", (Step("1", seconds(5)),))


def test_a_deal_without_a_stage_is_left_out() -> None:
    undated = attrs.evolve(change("stage_id", 1, 2), timestamp=None)
    assert stages_of([change("status", "open", "won"), undated], None) == ()
