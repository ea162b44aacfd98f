from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeflow.walking.plan import LARGEST_PAGE, PageRequest, WalkPlan

if TYPE_CHECKING:
    from tests.conftest import Wrong


def test_the_defaults_ask_for_a_whole_history_in_the_largest_pages() -> None:
    plan = WalkPlan()
    assert plan == WalkPlan(
        items=None,
        all_changes=False,
        start=0,
        page_size=500,
        max_items=None,
        since=None,
        prefetch=0,
    )
    assert LARGEST_PAGE == 500
    assert plan.parameters(PageRequest(0, 500)) == {"start": "0", "limit": "500"}


def test_every_parameter_reaches_the_wire() -> None:
    plan = WalkPlan(items="note", all_changes=True, start=10, page_size=20)
    assert plan.parameters(PageRequest(30, 21)) == {
        "start": "30",
        "limit": "21",
        "all_changes": "1",
        "items": "note",
    }


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("page_size", 1, 500),
        ("start", 0, 10**12),
        ("max_items", 0, 10**12),
        ("prefetch", 0, 10**6),
    ],
)
def test_values_out_of_bounds_are_named(name: str, least: int, most: int) -> None:
    def plan(value: int) -> WalkPlan:
        options: dict[str, Wrong] = {name: value}
        return WalkPlan(**options)

    assert getattr(plan(least), name) == least
    assert getattr(plan(most), name) == most
    with pytest.raises(ValueError, match=name):
        plan(least - 1)
    if name == "page_size":
        with pytest.raises(ValueError, match=name):
            plan(most + 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "20"),
        ("start", None),
        ("max_items", 1.5),
        ("all_changes", 1),
        ("since", "2026-05-04"),
    ],
)
def test_other_types_are_named(name: str, value: Wrong) -> None:
    options: dict[str, Wrong] = {name: value}
    with pytest.raises(TypeError, match=name):
        WalkPlan(**options)


def test_a_moment_needs_a_time_zone() -> None:
    assert WalkPlan(since=datetime(2026, 5, 4, tzinfo=UTC)).since is not None
    with pytest.raises(ValueError, match="since must have a time zone"):
        WalkPlan(since=datetime(2026, 5, 4))  # noqa: DTZ001 - that is the point


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="limit"):
        WalkPlan(limit=20)  # type: ignore[call-arg]
