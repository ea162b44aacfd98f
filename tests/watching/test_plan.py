from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.watching.plan import WatchPlan

if TYPE_CHECKING:
    from tests.conftest import Wrong


def test_the_defaults_cost_little() -> None:
    plan = WatchPlan()
    assert (plan.interval, plan.deep_interval, plan.daily_share) == (300.0, 86_400.0, 0.5)
    assert (plan.on_lost, plan.on_budget, plan.on_error) == ("raise", "wait", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("interval", 0.0),
        ("interval", float("nan")),
        ("deep_interval", 0.0),
        ("deep_interval", -1.0),
        ("deep_pages", 0),
        ("max_pages", 0),
        ("daily_share", 0.0),
        ("daily_share", 1.01),
        ("daily_share", float("nan")),
        ("on_lost", "ignore"),
        ("on_budget", "stop"),
    ],
)
def test_values_out_of_bounds_are_named(name: str, value: Wrong) -> None:
    with pytest.raises(ValueError, match=name):
        WatchPlan(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("interval", "300"),
        ("interval", None),
        ("deep_interval", "daily"),
        ("deep_pages", 1.5),
        ("max_pages", None),
        ("daily_share", "half"),
        ("daily_share", True),
    ],
)
def test_other_types_are_named(name: str, value: Wrong) -> None:
    with pytest.raises(TypeError, match=name):
        WatchPlan(**{name: value})


@pytest.mark.parametrize("share", [0.01, 1, 1.0])
def test_a_share_is_a_part_of_one(share: float) -> None:
    assert WatchPlan(daily_share=share, deep_interval=None).daily_share == share
