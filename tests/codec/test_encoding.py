"""Records become JSON again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from cattrs import Converter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.codec import decode_page, to_dict
from pipeflow.observing.stats import SessionStats
from pipeflow.records import (
    Activity,
    ActivityFile,
    ActivityParticipant,
    FieldChange,
    FlowPage,
    FlowUpdate,
    MailMessage,
    MailParty,
    Note,
    RelatedDeal,
    RelatedObjects,
    RelatedUser,
)
from tests.codec import strategies

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from tests.codec.conftest import Answer, Decoded


MOMENT = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)


@given(st.lists(strategies.entries, max_size=4))
@settings(max_examples=200, deadline=None)
def test_encode_after_decode_gives_back_what_came(page: list[Any]) -> None:
    decoded = decode_page(json.dumps({"data": page}).encode())
    assert [to_dict(update) for update in decoded.updates] == page


@given(
    st.sampled_from(sorted(strategies.KINDS)).flatmap(
        lambda kind: st.tuples(st.just(kind), strategies.records(strategies.KINDS[kind]))
    )
)
@settings(max_examples=200, deadline=None)
def test_decode_after_encode_gives_back_the_record(made: tuple[str, Any]) -> None:
    kind, record = made
    entry = {"object": kind, "data": to_dict(record)}
    decoded = decode_page(json.dumps({"data": [entry]}).encode(), strict=True).updates[0]
    assert decoded.data == record
    assert to_dict(decoded.data) == entry["data"]


def test_known_fields_come_back_as_the_api_writes_them(decoded: Decoded) -> None:
    for name in ("person", "deal", "organization"):
        for update in decoded(f"published_{name}_flow").updates:
            assert not isinstance(update.data, dict)
            written = to_dict(update.data)
            for key, value in update.raw["data"].items():
                if key not in {"file", "attendees", "attachments"} and value not in (None, []):
                    assert written[key] == value


@pytest.mark.parametrize("name", ["usual", "broken_records", "published_deal_flow", "no_data"])
def test_a_page_is_an_answer_again(answer: Answer, name: str) -> None:
    page = decode_page(answer(name))
    assert decode_page(json.dumps(to_dict(page)).encode()) == page


def test_an_update_made_by_hand_is_written_as_the_api_would() -> None:
    update = FlowUpdate(object="note", timestamp=MOMENT, data=Note(id=1, add_time=MOMENT))
    assert to_dict(update) == {
        "object": "note",
        "timestamp": "2024-03-01 09:30:00",
        "data": {"id": 1, "add_time": "2024-03-01 09:30:00"},
    }
    assert to_dict(FlowUpdate(object="call", data={"id": 1})) == {
        "object": "call",
        "timestamp": None,
        "data": {"id": 1},
    }


def test_a_page_made_by_hand_can_be_served() -> None:
    related = RelatedObjects(users={123: RelatedUser(id=123, name="Jane Doe")})
    updates = (FlowUpdate(object="note", data=Note(id=1, user_id=123)),)
    page = FlowPage(updates=updates, more_items=True, next_start=1, related=related)
    decoded = decode_page(json.dumps(to_dict(page)).encode(), strict=True)
    assert decoded.updates[0].data == Note(id=1, user_id=123)
    assert decoded.related.users == related.users
    assert decoded.next_start == 1


def test_a_page_names_where_the_next_begins_when_there_is_one() -> None:
    def pagination(page: FlowPage) -> dict[str, Any]:
        found: dict[str, Any] = to_dict(page)["additional_data"]["pagination"]
        return found

    assert pagination(FlowPage(start=7)) == {"start": 7, "more_items_in_collection": False}
    assert pagination(FlowPage(page_size=5, more_items=True, next_start=5)) == {
        "start": 0,
        "limit": 5,
        "more_items_in_collection": True,
        "next_start": 5,
    }


def test_related_objects_come_back(decoded: Decoded) -> None:
    related = decoded("usual").related
    assert to_dict(related) == related.raw
    assert to_dict(related.users[123])["name"] == "Jane Doe"


@pytest.mark.parametrize(
    ("record", "written"),
    [
        (Activity(due_date=date(2024, 3, 1)), {"due_date": "2024-03-01"}),
        (Activity(due_time=time(9, 5)), {"due_time": "09:05"}),
        (Activity(due_time=time(9, 5, 7)), {"due_time": "09:05:07"}),
        (Activity(duration=timedelta(minutes=75)), {"duration": "01:15"}),
        (Activity(duration=timedelta(hours=100, seconds=5)), {"duration": "100:00:05"}),
        (Activity(add_time=datetime(999, 1, 1, tzinfo=UTC)), {"add_time": "0999-01-01 00:00:00"}),
        (
            Activity(add_time=MOMENT.astimezone(timezone(timedelta(hours=2)))),
            {"add_time": "2024-03-01 09:30:00"},
        ),
        (
            Activity(add_time=MOMENT.replace(tzinfo=None)),
            {"add_time": "2024-03-01 09:30:00"},
        ),
        (MailMessage(add_time=MOMENT), {"add_time": "2024-03-01T09:30:00.000Z"}),
        (MailMessage(from_=(MailParty(id=1),)), {"from": [{"id": 1}]}),
        (Activity(series=(1, {"a": 2})), {"series": [1, {"a": 2}]}),
        (Activity(file=ActivityFile(id=5)), {"file": {"id": 5}}),
        (
            Activity(participants=(ActivityParticipant(primary_flag=True),)),
            {"participants": [{"primary_flag": True}]},
        ),
        (FieldChange(field_key="name", new_value=[1]), {"field_key": "name", "new_value": [1]}),
    ],
)
def test_a_record_is_written_in_the_api_s_formats(record: Json, written: dict[str, Any]) -> None:
    assert to_dict(record) == written


def test_what_is_written_is_a_copy(decoded: Decoded) -> None:
    update = decoded("usual").updates[0]
    to_dict(update)["data"]["id"] = "changed"
    assert update.raw["data"]["id"] == 11158


def test_a_number_that_json_cannot_write_is_none() -> None:
    entry = b'{"object": "call", "data": {"x": 1e999, "y": %s}}' % (b"9" * 5000)
    related = b'{"deal": {"1": {"value": -1e999}}}'
    body = b'{"data": [%s], "related_objects": %s, "additional_data": {"z": 1e999}}'
    body %= (entry, related)
    page = decode_page(body)
    written = to_dict(page)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert written["data"][0]["data"] == {"x": None, "y": None}
    assert written["related_objects"] == {"deal": {"1": {"value": None}}}
    assert written["additional_data"]["z"] is None
    assert page.updates[0].raw_json == entry


def test_a_number_made_by_hand_that_json_cannot_write_is_none() -> None:
    nan, infinite = float("nan"), float("inf")
    assert to_dict(FlowUpdate(object="call", data={"x": [nan, {"y": infinite}, 1.5]}))["data"] == {
        "x": [None, {"y": None}, 1.5]
    }
    assert to_dict(FieldChange(field_key="x", new_value=(infinite, 1)))["new_value"] == [None, 1]
    deal = RelatedDeal(id=1, value=infinite)
    assert to_dict(RelatedObjects(deals={1: deal}))["deal"] == {"1": {"id": 1, "value": None}}


def test_other_attrs_classes_are_dicts_of_their_fields() -> None:
    assert to_dict(SessionStats()) == attrs.asdict(SessionStats())


def test_a_class_of_the_user_s_is_written_with_the_user_s_hooks() -> None:
    @attrs.frozen
    class Invoice:
        total: Decimal
        due: date | None = None

    converter = Converter()
    converter.register_unstructure_hook(Decimal, str)
    update: Json = FlowUpdate(object="invoice", data=Invoice(Decimal("1.10"), date(2024, 3, 1)))  # type: ignore[arg-type]
    assert to_dict(update, converter=converter)["data"] == {"total": "1.10", "due": "2024-03-01"}


def test_what_else_an_answer_says_of_a_page_comes_back(decoded: Decoded) -> None:
    page = decoded("newer_fields")
    assert page.additional_data == {"filesCountByDay": {"2024-03-01": 1}}
    assert to_dict(page)["additional_data"]["filesCountByDay"] == {"2024-03-01": 1}
    assert decoded("no_data").additional_data == {}
