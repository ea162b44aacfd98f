from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.addresses import FlowOwner, base_url_from
from pipeflow.queries import FlowQuery

if TYPE_CHECKING:
    from pipeflow.queries import WalkOptions
    from tests.conftest import Wrong


def test_the_defaults_ask_for_a_whole_history_in_the_largest_pages() -> None:
    query = FlowQuery.checked(FlowOwner.PERSON, 1101)
    assert query.parameters(query.start, query.page_size) == {"start": "0", "limit": "500"}
    assert query.max_items is None


def test_every_parameter_reaches_the_wire() -> None:
    query = FlowQuery.checked(
        FlowOwner.DEAL, 5, items="note", all_changes=True, start=10, page_size=20
    )
    assert query.parameters(30, 20) == {
        "start": "30",
        "limit": "20",
        "all_changes": "1",
        "items": "note",
    }
    assert str(query.url(base_url_from(None, "acme"))) == (
        "https://acme.pipedrive.com/api/v1/deals/5/flow"
    )


@pytest.mark.parametrize(
    ("id", "options", "named"),
    [
        (0, {}, "person id"),
        (-1, {}, "person id"),
        (1, {"page_size": 0}, "page_size"),
        (1, {"page_size": 501}, "page_size"),
        (1, {"start": -1}, "start"),
        (1, {"max_items": -1}, "max_items"),
        (1, {"items": []}, "items"),
        (1, {"items": "nonsense"}, "items"),
    ],
)
def test_values_out_of_bounds_are_named(id: int, options: WalkOptions, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        FlowQuery.checked(FlowOwner.PERSON, id, **options)


@pytest.mark.parametrize(
    ("id", "options", "named"),
    [
        ("1101", {}, "person id"),
        (True, {}, "person id"),
        (1101.0, {}, "person id"),
        (None, {}, "person id"),
        (1, {"page_size": "20"}, "page_size"),
        (1, {"start": None}, "start"),
        (1, {"max_items": 1.5}, "max_items"),
        (1, {"all_changes": 1}, "all_changes"),
        (1, {"items": 5}, "items"),
    ],
)
def test_other_types_are_named(id: Wrong, options: dict[str, Wrong], named: str) -> None:
    with pytest.raises(TypeError, match=named):
        FlowQuery.checked(FlowOwner.PERSON, id, **options)


def test_an_unknown_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="limit"):
        FlowQuery.checked(FlowOwner.PERSON, 1, limit=20)  # type: ignore[call-arg]
