from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from pipeflow.watching.checkpoint import Binding
from pipeflow.watching.place import REMEMBERED, Place
from pipeflow.watching.poll import CROWDED

if TYPE_CHECKING:
    from tests.conftest import Wrong

BINDING = Binding(account="acme.pipedrive.com", owner="person 7", items="note", all_changes=True)
PLACE = Place(
    moment=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
    undone={"undone01": "state001"},
    missing={"missing1": "state002"},
    past={"past0001": "state003", "past0002": "state004"},
    recent={"recent01": "state005"},
    whole=True,
)


def test_a_place_survives_json() -> None:
    text = json.dumps(BINDING.checkpoint(PLACE))
    assert BINDING.place(json.loads(text)) == PLACE


def test_the_order_of_the_past_survives_json() -> None:
    place = BINDING.place(json.loads(json.dumps(BINDING.checkpoint(PLACE))))
    assert list(place.past) == ["past0001", "past0002"]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"account": "umbrella.pipedrive.com"}, "account"),
        ({"owner": "person 8"}, "owner"),
        ({"items": None}, "items"),
        ({"all_changes": False}, "all_changes"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(other: Wrong, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        evolve(BINDING, **other).place(BINDING.checkpoint(PLACE))


def test_a_checkpoint_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        BINDING.place(BINDING.checkpoint(PLACE) | {"version": 2})


@pytest.mark.parametrize("wrong", [{}, [], None, "text", {"offset": 3}])
def test_what_is_not_a_checkpoint_is_refused(wrong: Wrong) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        BINDING.place(wrong)


@pytest.mark.parametrize(
    "damage",
    [{"moment": "yesterday"}, {"moment": None}, {"past": None}, {"undone": [3]}, {"recent": 5}],
)
def test_a_damaged_checkpoint_is_refused(damage: Wrong) -> None:
    with pytest.raises(ValueError, match="damaged"):
        BINDING.place(BINDING.checkpoint(PLACE) | damage)


def test_a_checkpoint_with_100_undone_activities_stays_under_8_kb() -> None:
    """Also on a busy day, with all of them gone from the head and a crowd of new records."""

    def entries(kind: str, count: int) -> dict[str, str]:
        return {f"{kind}{number:07}": "state123" for number in range(count)}

    place = Place(
        moment=datetime(2026, 3, 2, 8, 30, tzinfo=UTC),
        undone=entries("u", 100),
        missing=entries("m", 100),
        past=entries("p", REMEMBERED),
        recent=entries("r", CROWDED),
    )
    assert len(json.dumps(BINDING.checkpoint(place))) < 8_000
