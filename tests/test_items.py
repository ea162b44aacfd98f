from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeflow.items import FlowItem, items_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Wrong


def test_there_are_22_wire_values() -> None:
    assert len(FlowItem) == 22


def test_no_items_ask_for_everything() -> None:
    assert items_parameter(None) is None


@pytest.mark.parametrize(
    "items",
    [
        ["activity", FlowItem.PERSON_CHANGE],
        ("activity", "personChange"),
        "activity,personChange",
        " activity , personChange ,",
        (item for item in ["activity", "personChange", "activity"]),
    ],
)
def test_every_form_of_items_gives_the_same_parameter(items: str | Iterable[str]) -> None:
    assert items_parameter(items) == "activity,personChange"


def test_one_item_alone_is_taken_for_itself() -> None:
    assert items_parameter(FlowItem.NOTE) == "note"
    assert items_parameter(FlowItem.other("newKind")) == "newKind"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("activty", "activity"),
        ("person_change", "personChange"),
        ("PERSON-CHANGE", "personChange"),
        ("marketingStatusChange", "marketing_status_change"),
        ("mails", "mailMessage"),
    ],
)
def test_a_misspelt_item_names_the_closest_legal_one(misspelt: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        items_parameter([misspelt])


def test_a_newer_item_goes_through_when_said_so() -> None:
    assert items_parameter([FlowItem.other("newKind"), "note"]) == "newKind,note"


@pytest.mark.parametrize("value", ["", "a,b", "a b", "a&start=5", "ä"])
def test_a_newer_item_is_one_word(value: str) -> None:
    with pytest.raises(ValueError, match="one word"):
        FlowItem.other(value)


@pytest.mark.parametrize("items", [[], "", " , ", ()])
def test_empty_items_are_refused_as_they_would_ask_for_everything(
    items: str | Iterable[str],
) -> None:
    with pytest.raises(ValueError, match="items is empty"):
        items_parameter(items)


@pytest.mark.parametrize("items", [5, [5], b"note", [None]])
def test_items_of_another_type_are_a_type_error(items: Wrong) -> None:
    with pytest.raises(TypeError, match="items must be"):
        items_parameter(items)
