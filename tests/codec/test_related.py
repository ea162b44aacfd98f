"""`related_objects` in all its forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeflow.codec import decode_page
from pipeflow.errors import DecodeError
from pipeflow.records import (
    ContactEntry,
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from tests.codec.conftest import Answer, Decoded


def related_of(value: Json, *, strict: bool = False) -> RelatedObjects:
    body = json.dumps({"data": [], "related_objects": value}).encode()
    return decode_page(body, strict=strict).related


def test_the_real_form_is_typed_by_id(decoded: Decoded) -> None:
    related = decoded("usual").related
    assert related.users == {
        123: RelatedUser(
            id=123, name="Jane Doe", email="jane@example.com", has_pic=False, active_flag=True
        )
    }
    assert related.persons[1101].email == (
        ContactEntry(label="work", value="person@example.com", primary=True),
    )
    assert related.organizations[5].name == "Umbrella Corp."
    assert related.deals[300].value == 600.5


def test_the_published_form_is_the_same(decoded: Decoded) -> None:
    related = decoded("published_deal_flow").related
    assert isinstance(related.users[123], RelatedUser)
    assert isinstance(related.persons[1101], RelatedPerson)
    assert isinstance(related.organizations[1], RelatedOrganization)
    assert related.deals[123] == RelatedDeal(
        id=123,
        title="Deal title",
        status="open",
        value=600,
        currency="EUR",
        stage_id=2,
        pipeline_id=1,
    )


@pytest.mark.parametrize(
    "value", [None, [], {}, {"allOf": []}, {"user": None, "deal": []}, {"allOf": [None, []]}]
)
def test_none_are_none(value: Json) -> None:
    related = related_of(value, strict=True)
    assert (related.users, related.persons, related.deals) == ({}, {}, {})
    assert related.raw == value


def test_an_answer_without_them_has_none() -> None:
    assert decode_page(b'{"data": []}').related.raw is None


def test_what_breaks_its_shape_is_only_in_raw(answer: Answer) -> None:
    body = answer("broken_related_objects")
    related = decode_page(body).related
    assert set(related.users) == {123}
    assert set(related.persons) == {1101}
    assert related.organizations == {}
    assert related.deals == {}
    assert related.raw == json.loads(body)["related_objects"]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("text", "$.related_objects"),
        ({"user": 5}, "$.related_objects.user"),
        ({"user": {"x": {}}}, "$.related_objects.user"),
        ({"user": {"1": None}}, "$.related_objects.user.1"),
        (
            {"allOf": [{}, {"deal": {"1": {"value": "x"}}}]},
            "$.related_objects.allOf[1].deal.1.value",
        ),
        ({"allOf": [5]}, "$.related_objects.allOf[0]"),
        (
            {"person": {"1": {"email": [{"primary": 5}]}}},
            "$.related_objects.person.1.email[0].primary",
        ),
    ],
)
def test_strict_names_the_place(value: Json, path: str) -> None:
    assert related_of(value).users == {}
    with pytest.raises(DecodeError) as caught:
        related_of(value, strict=True)
    assert caught.value.path == path


def test_other_kinds_are_in_raw() -> None:
    related = related_of({"lead": {"x": {"id": "x"}}}, strict=True)
    assert related.raw["lead"]["x"] == {"id": "x"}


@pytest.mark.parametrize("from_dicts", [False, True])
@pytest.mark.parametrize(("digits", "is_an_id"), [(4299, True), (4300, True), (4301, False)])
def test_an_id_is_as_long_as_python_reads(digits: int, is_an_id: bool, from_dicts: bool) -> None:  # noqa: FBT001 - pytest's way
    """From twins, and from dicts, which half of a surrogate pair takes."""
    key = "9" * digits
    related = related_of({"user": {key: {"id": 1, "name": "\ud83d" if from_dicts else "Ines"}}})
    assert list(related.users) == ([int(key)] if is_an_id else [])


@pytest.mark.parametrize("key", [" 7", "7 ", "+7", "1_000", "٣", "7.0", "", "-"])
def test_a_key_that_is_no_plain_number_is_no_id(key: str) -> None:
    assert related_of({"user": {key: {"id": 1, "name": "Ines Okafor"}}}).users == {}
