"""What a pipeline stores of an update: its id, its key and its row."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow import FlowUpdate, Note
from pipeflow.codec import decode_page
from pipeflow.records import ROW_COLUMNS, Activity, Comment, FieldChange, File, MailMessage
from tests.codec import strategies

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json


def decode(*entries: Json, start: int = 0, **related: Json) -> tuple[FlowUpdate, ...]:
    body = {"data": entries, "related_objects": related}
    return decode_page(json.dumps(body).encode(), start=start).updates


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (Note(id=5), 5),
        (Note(), None),
        (Comment(uuid="3aa2b1b2"), "3aa2b1b2"),
        ({"id": 5}, 5),
        ({"id": "5"}, 5),
        ({"id": 0}, 0),
        ({"id": " x "}, "x"),
        ({"id": "9" * 20}, "9" * 20),
        ({"id": False, "uuid": "3aa2b1b2"}, "3aa2b1b2"),
        ({"id": ""}, None),
        ({"id": [5]}, None),
        ({}, None),
    ],
)
def test_an_id_is_the_record_s_own(data: Json, found: int | str | None) -> None:
    assert FlowUpdate(data=data).id == found


def test_a_key_is_made_of_the_kind_and_the_id() -> None:
    before, after = decode(
        {"object": "note", "data": {"id": 5, "content": "x"}},
        {"object": "note", "data": {"id": "5", "content": "edited"}},
    )
    assert before.key == after.key == "note:5"
    assert FlowUpdate(object="comment", data=Comment(uuid="3a")).key == "comment:3a"
    assert FlowUpdate(object="a:b%", data={"id": 1}).key == "a%3Ab%25:1"


def test_equal_updates_without_an_id_have_keys_of_their_own() -> None:
    follower = {"object": "follower", "timestamp": "2024-03-01 09:30:00", "data": {"user_id": 1}}
    history = [follower, {"object": "note", "data": {"id": 1}}, follower, follower]
    keys = [update.key for update in decode(*history)]
    assert len(set(keys)) == 4
    assert [update.key for update in decode(*history)] == keys
    assert keys[0] != decode(follower | {"timestamp": ""})[0].key


def test_an_update_made_by_hand_without_an_id_has_a_key() -> None:
    first = FlowUpdate(object="note", data=Note(content="x"))
    assert first.key == FlowUpdate(object="note", data=Note(content="x"), decode_error="y").key
    assert first.key != FlowUpdate(object="note", data=Note(content="y")).key
    assert first.key != FlowUpdate(object="note", data={"content": "x"}, offset=1).key
    assert first.key != attrs.evolve(first, timestamp=datetime(2024, 3, 1, tzinfo=UTC)).key


@given(st.lists(strategies.entries, max_size=12))
@settings(max_examples=150, deadline=None)
def test_keys_differ_unless_kind_and_id_are_the_same(history: list[Json]) -> None:
    updates = decode(*history, *history)
    with_id = {(update.object, update.id) for update in updates if update.id is not None}
    without_id = [update for update in updates if update.id is None]
    assert len({update.key for update in updates}) == len(with_id) + len(without_id)


@pytest.mark.parametrize(
    ("kind", "data", "planned"),
    [
        ("activity", Activity(done=False), True),
        ("activity", Activity(done=True), False),
        ("activity", Activity(), False),
        ("activity", {"done": 0}, True),
        ("activity", {"done": "0"}, True),
        ("activity", {"done": "1"}, False),
        ("plannedActivity", {"done": False}, True),
        ("note", {"done": False}, False),
    ],
)
def test_an_activity_still_to_be_done_is_planned(kind: str, data: Json, *, planned: bool) -> None:
    assert FlowUpdate(object=kind, data=data).is_planned is planned


def test_a_row_says_what_an_update_says() -> None:
    (update,) = decode(
        {
            "object": "activity",
            "timestamp": "2024-03-01 09:30:00",
            "data": {"id": 8, "user_id": 123, "subject": "Offer", "type": "call", "done": False,
                     "note": "<p>Bring tea</p>", "person_id": "1101", "org_id": 5, "deal_id": 300,
                     "project_id": 9, "lead_id": "adf21080", "org_name": "Acme"},
        },
        start=20,
        user={"123": {"id": 123, "name": "Jane Doe"}},
        deal={"300": {"id": 300, "title": "Deal title"}},
    )  # fmt: skip
    assert update.to_row() == {
        "key": "activity:8",
        "object": "activity",
        "id": "8",
        "timestamp": datetime(2024, 3, 1, 9, 30, tzinfo=UTC),
        "offset": 20,
        "is_planned": True,
        "actor_id": 123,
        "actor_name": "Jane Doe",
        "person_id": 1101,
        "person_name": None,
        "org_id": 5,
        "org_name": "Acme",
        "deal_id": 300,
        "deal_title": "Deal title",
        "lead_id": "adf21080",
        "project_id": 9,
        "who": "Jane Doe",
        "what": update.sentence().what,
        "subject": "Offer",
        "text": "<p>Bring tea</p>",
        "field_key": None,
        "old_value": None,
        "new_value": None,
        "decode_error": None,
    }


def test_a_row_has_the_values_of_a_change_as_text() -> None:
    change = FieldChange(field_key="label_ids", item_id=1101, old_value="49", new_value=[1, "ü"])
    row = FlowUpdate(object="personChange", data=change).to_row()
    assert (row["person_id"], row["field_key"]) == (1101, "label_ids")
    assert (row["old_value"], row["new_value"]) == ("49", '[1, "ü"]')


def test_a_row_tells_the_subject_of_mail_and_files() -> None:
    mail = FlowUpdate(object="mailMessage", data=MailMessage(subject="Offer", snippet="Hi"))
    assert (mail.to_row()["subject"], mail.to_row()["text"]) == ("Offer", "Hi")
    assert (
        FlowUpdate(object="file", data=File(name="", file_name="a.pdf")).to_row()["subject"]
        == "a.pdf"
    )


def test_names_are_for_who_and_what() -> None:
    change = FieldChange(field_key="org_id", new_value="x")
    row = FlowUpdate(object="personChange", data=change).to_row({"org_id": "organization"})
    assert "organization" in row["what"]
    assert row["field_key"] == "org_id"


@given(strategies.entries)
@settings(max_examples=300, deadline=None)
def test_any_update_is_a_row_of_the_same_columns_and_types(entry: Json) -> None:
    (update,) = decode(entry)
    row = update.to_row()
    assert list(row) == list(ROW_COLUMNS)
    for column, value in row.items():
        assert value is None or type(value) is ROW_COLUMNS[column]
    assert None not in {row["key"], row["object"], row["offset"], row["is_planned"]}
    written = io.StringIO()
    csv.DictWriter(written, ROW_COLUMNS).writerow(row)
