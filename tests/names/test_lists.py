from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.names import FieldNames
from pipeflow.names.lists import LISTS, field_names, names_by_id, next_parameters

if TYPE_CHECKING:
    from tests.conftest import Wrong


def test_all_lists_together_cost_100_tokens() -> None:
    assert sum(name_list.tokens for name_list in LISTS) == 100


def test_entries_without_an_id_or_a_name_are_passed_over() -> None:
    entries = [{"id": 1, "name": "Mira"}, {"id": "2", "name": "x"}, {"id": 3}, None, {"name": "y"}]
    assert names_by_id({"data": entries}) == {1: "Mira"}


def test_fields_bring_their_options_and_the_deleted_ones() -> None:
    entry = {
        "id": None,
        "key": "label",
        "name": "Label",
        "field_type": "enum",
        "options": [{"id": 1, "label": "Hot"}, {"id": "open", "label": "Open"}, {"id": 2}, 5],
        "options_deleted": [{"id": 7, "label": "Warm"}],
    }
    plain = {"key": "name", "name": "Name", "field_type": None, "options": None}
    assert field_names({"data": [entry, plain, {"key": "x"}, "odd"]}) == {
        "label": FieldNames("Label", "enum", {"1": "Hot", "open": "Open", "7": "Warm"}),
        "name": FieldNames("Name"),
    }


@pytest.mark.parametrize("data", [None, "text", {}, 5])
def test_what_is_no_list_holds_no_names(data: Wrong) -> None:
    assert names_by_id({"data": data}) == {}
    assert field_names({"data": data}) == {}


MORE = {"start": 0, "limit": 500, "more_items_in_collection": True, "next_start": 500}


@pytest.mark.parametrize(
    ("beside", "following"),
    [
        ({"pagination": MORE}, {"limit": "500", "start": "500"}),
        (MORE, {"limit": "500", "start": "500"}),
        ({"pagination": MORE | {"more_items_in_collection": False}}, {}),
        ({"pagination": MORE | {"next_start": 0}}, {}),
        ({"pagination": MORE | {"next_start": None}}, {}),
        ({"next_cursor": "abc"}, {"limit": "500", "cursor": "abc"}),
        ({"next_cursor": None}, {}),
        ({"next_cursor": ""}, {}),
        (None, {}),
        ([], {}),
        ({"pagination": []}, {}),
    ],
)
def test_where_a_list_goes_on(beside: Wrong, following: dict[str, str]) -> None:
    assert next_parameters({"additional_data": beside}, {"limit": "500"}) == following


def test_a_list_that_leads_back_is_not_followed() -> None:
    assert next_parameters({"additional_data": MORE}, {"start": "500"}) == {}
