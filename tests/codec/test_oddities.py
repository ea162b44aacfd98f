"""What Pipedrive sends beside what it publishes: each oddity in an answer of its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from pipeflow.codec import decode_page
from pipeflow.errors import DecodeError
from pipeflow.records import (
    Activity,
    ActivityFile,
    ActivityLead,
    ActivityParticipant,
    Comment,
    FieldChange,
    File,
    FormattedValues,
    MailMessage,
    Note,
    NoteDeal,
    NoteLead,
    NotePerson,
    NoteProject,
    NoteUser,
)

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from tests.codec.conftest import Answer, Decoded, PageOf

PARTICIPANT = ActivityParticipant(person_id=7)


@pytest.mark.parametrize("name", ["person", "deal", "organization"])
def test_the_published_examples_are_typed_in_full(answer: Answer, name: str) -> None:
    body = answer(f"published_{name}_flow")
    page = decode_page(body, strict=True)
    for update, entry in zip(page.updates, json.loads(body)["data"], strict=True):
        record: Json = update.data
        fields = {field.name.rstrip("_") for field in attrs.fields(type(record))}
        assert set(entry["data"]) <= fields
        assert update.decode_error is None


def test_times_days_and_durations_become_python_s_own(decoded: Decoded) -> None:
    activity = decoded("published_person_flow").updates[1].data
    assert isinstance(activity, Activity)
    assert activity.due_date == date(2020, 6, 9)
    assert activity.due_time == time(10)
    assert activity.duration == timedelta(hours=1)
    assert activity.add_time == datetime(2020, 6, 8, 12, 37, 56, tzinfo=UTC)


def test_a_file_id_with_a_trailing_comma_is_the_number(decoded: Decoded) -> None:
    activity = decoded("published_person_flow").updates[1].data
    assert isinstance(activity, Activity)
    assert activity.file is not None
    assert activity.file.id == 376892


def test_nested_records_are_typed(decoded: Decoded) -> None:
    activity = decoded("published_person_flow").updates[1].data
    assert isinstance(activity, Activity)
    assert activity.participants[1] == ActivityParticipant(person_id=1101, primary_flag=True)
    assert activity.attendees[0].is_organizer is False


def test_from_has_an_underscore(decoded: Decoded) -> None:
    mail = decoded("published_deal_flow").updates[2].data
    assert isinstance(mail, MailMessage)
    assert mail.from_[0].email_address == "mail@example.org"


def test_iso_times_of_mail_are_in_utc(decoded: Decoded) -> None:
    mail = decoded("published_deal_flow").updates[2].data
    assert isinstance(mail, MailMessage)
    assert mail.message_time == datetime(2019, 11, 14, 6, 2, 6, tzinfo=UTC)


def test_attachments_of_mail_are_files(decoded: Decoded) -> None:
    mail = decoded("published_deal_flow").updates[2].data
    assert isinstance(mail, MailMessage)
    assert isinstance(mail.attachments[0], File)


def test_flags_as_numbers_or_digits_are_bools(decoded: Decoded) -> None:
    mail = decoded("flags_as_numbers").updates[0].data
    assert isinstance(mail, MailMessage)
    assert (mail.read_flag, mail.draft_flag) == (True, False)
    assert (mail.sent_from_pipedrive_flag, mail.smart_bcc_flag) == (True, False)
    assert mail.external_deleted_flag is False


def test_mail_without_attachments_has_none(decoded: Decoded) -> None:
    mail = decoded("flags_as_numbers").updates[0].data
    assert isinstance(mail, MailMessage)
    assert mail.attachments == ()


def test_an_empty_text_for_a_time_is_none(decoded: Decoded) -> None:
    update = decoded("missing_times").updates[0]
    assert update.timestamp is None
    assert update.data == Activity(
        id=9, subject="Call", done=False, add_time=datetime(2024, 2, 1, 8, tzinfo=UTC)
    )


def test_an_empty_array_stands_for_an_empty_object(decoded: Decoded) -> None:
    change, follower = decoded("empty_objects_as_arrays").updates
    assert isinstance(change.data, FieldChange)
    assert change.data.additional_data == FormattedValues()
    assert follower.data == {}
    assert follower.decode_error is None


def test_an_id_that_is_false_or_absent_is_none(decoded: Decoded) -> None:
    false, absent, null = (update.data for update in decoded("ids_false_or_absent").updates)
    assert false == Note(content="one")
    assert absent == Note(content="two")
    assert null == Activity(file=ActivityFile(id=376892))


def test_changed_values_can_be_any_json(answer: Answer) -> None:
    body = answer("changed_values_of_any_type")
    for update in decode_page(body, strict=True).updates:
        assert isinstance(update.data, FieldChange)
        assert update.data.old_value == update.raw["data"]["old_value"]
        assert type(update.data.old_value) is type(update.raw["data"]["old_value"])


def test_an_integer_beyond_64_bits_keeps_its_digits(decoded: Decoded) -> None:
    last = decoded("changed_values_of_any_type").updates[-1]
    assert isinstance(last.data, FieldChange)
    assert last.data.old_value == 123456789012345678901234567890
    assert last.raw["data"]["old_value"] == 123456789012345678901234567890


def test_newer_fields_are_typed_and_unknown_ones_are_in_raw(decoded: Decoded) -> None:
    update = decoded("newer_activity_fields").updates[0]
    assert update.data == Activity(
        id=10,
        original_start_time=datetime(2024, 3, 1, 9, tzinfo=UTC),
        private=False,
        priority=2,
        is_recurring=True,
        lead_title="Lead",
        project_title="Project",
        type_name="Call",
    )
    assert update.raw["data"]["invented_later"] == [1]


def test_a_note_has_the_names_that_come_inside_it(decoded: Decoded) -> None:
    note = decoded("note_and_comment").updates[0].data
    assert isinstance(note, Note)
    assert note.person == NotePerson(name="Person")
    assert note.deal == NoteDeal(title="Deal title")
    assert note.organization is None
    assert note.user == NoteUser(email="john@example.com", name="John Roe", is_you=True)
    assert note.pinned_to_person_flag is True


def test_a_comment_is_typed(decoded: Decoded) -> None:
    comment = decoded("note_and_comment").updates[1].data
    assert isinstance(comment, Comment)
    assert comment.object_id == "50"
    assert comment.add_time == comment.update_time == datetime(2024, 3, 1, 9, 30, tzinfo=UTC)


def test_kinds_without_a_published_shape_are_plain_dicts(decoded: Decoded) -> None:
    updates = decoded("unknown_kinds").updates
    assert [update.data for update in updates] == [
        {"id": 1, "user_id": 123},
        {},
        {"user_id": "x"},
        {},
        {},
    ]
    assert [update.decode_error for update in updates] == [
        None,
        None,
        None,
        None,
        "$.data[4].data: expected an object, got 'text'",
    ]


def test_entries_that_are_no_objects_are_there_too(decoded: Decoded) -> None:
    *odd, note = decoded("entries_that_are_no_objects").updates
    assert [update.raw for update in odd] == [None, 7, "text", []]
    assert [(update.object, update.data) for update in odd] == [("", {})] * 4
    assert odd[1].decode_error == "$.data[1]: expected an object, got 7"
    assert note.data == Note(id=1)
    assert note.offset == 4


def test_half_of_a_surrogate_pair_costs_no_record(decoded: Decoded) -> None:
    cut, whole = decoded("text_cut_within_a_surrogate_pair").updates
    assert cut.data == Note(id=1, content="cut \ud83d")
    assert cut.raw["data"]["content"] == "cut \ud83d"
    assert whole.data == Note(id=2, content="whole")


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        (1, ".timestamp: expected a time such as 2020-08-03 11:25:21, got 'yesterday'"),
        (2, ".data: expected an object, got an array"),
        (3, ".data.due_date: expected a day such as 2020-06-09, got '2024-02-30'"),
        (4, ".data.attendees[1].name: expected a string, got true"),
        (5, ".data.field_key: is missing"),
        (6, ".object: expected a string, got 7"),
        (7, ".data.from[0].id: expected an integer, got 'x'"),
    ],
)
def test_a_broken_record_stays_a_dict_and_says_where(
    decoded: Decoded, index: int, problem: str
) -> None:
    update = decoded("broken_records").updates[index]
    assert update.decode_error == f"$.data[{index}]{problem}"
    raw = update.raw["data"]
    assert update.data == (raw if isinstance(raw, dict) else {})


def test_a_broken_record_leaves_its_neighbours_alone(decoded: Decoded) -> None:
    first = decoded("broken_records").updates[0]
    assert first.data == Note(id=1)
    assert first.decode_error is None


def test_a_broken_timestamp_is_none(decoded: Decoded) -> None:
    assert decoded("broken_records").updates[1].timestamp is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"done": 2}, "done: expected a flag, got 2"),
        ({"done": []}, "done: expected a flag, got an array"),
        ({"done": {}}, "done: expected a flag, got an object"),
        ({"done": "yes"}, "done: expected a flag, got 'yes'"),
        ({"user_id": "7a"}, "user_id: expected an integer, got '7a'"),
        ({"user_id": "--7"}, "user_id: expected an integer, got '--7'"),
        ({"user_id": []}, "user_id: expected an integer, got an array"),
        ({"priority": "1.5"}, "priority: expected an integer, got '1.5'"),
        ({"user_id": True}, "user_id: expected an integer, got true"),
        ({"id": True}, "id: expected an integer, got true"),
        ({"id": 1.5}, "id: expected an integer, got 1.5"),
        ({"duration": "1 hour"}, "duration: expected a duration such as 01:00, got '1 hour'"),
        ({"due_time": 10}, "due_time: expected a time of day such as 10:00, got 10"),
        ({"due_time": "24:30"}, "due_time: expected a time of day such as 10:00, got '24:30'"),
        ({"series": {"a": 1}}, "series: expected an array, got an object"),
        ({"attendees": {"a": 1}}, "attendees: expected an array, got an object"),
        ({"attendees": [None, 5]}, "attendees[1]: expected an object, got 5"),
        ({"file": 5}, "file: expected an object, got 5"),
        ({"file": [5]}, "file: expected an object, got an array"),
        ({"subject": "x" * 9, "note": True}, "note: expected a string, got true"),
        (
            {"add_time": "2024-03-01 25:00:00"},
            "add_time: expected a time such as 2020-08-03 11:25:21, got '2024-03-01 25:00:00'",
        ),
        (
            {"due_date": "2024-03-01 09:00:00"},
            "due_date: expected a day such as 2020-06-09, got '2024-03-01 09:00:00'",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named(page_of: PageOf, data: Json, problem: str) -> None:
    update = page_of({"object": "activity", "data": data}).updates[0]
    assert update.data == data
    assert update.decode_error == f"$.data[0].data.{problem}"


def test_a_long_value_is_cut_in_the_message(page_of: PageOf) -> None:
    update = page_of({"object": "note", "data": {"id": "x" * 10_000}}).updates[0]
    assert update.decode_error == f"$.data[0].data.id: expected an integer, got '{'x' * 38}…"


@pytest.mark.parametrize(
    ("data", "activity"),
    [
        ({"series": None, "attendees": None, "file": None}, Activity()),
        ({"series": None, "note": "\ud83d"}, Activity(note="\ud83d")),
        ({"series": [1], "note": "\ud83d"}, Activity(series=(1,), note="\ud83d")),
        ({"series": [1, {}], "file": []}, Activity(series=(1, {}), file=ActivityFile())),
        ({"due_date": None, "add_time": "", "note": "\ud83d"}, Activity(note="\ud83d")),
        ({"due_date": "", "add_time": None, "note": "\ud83d"}, Activity(note="\ud83d")),
    ],
)
def test_missing_lists_and_objects_are_empty(page_of: PageOf, data: Json, activity: Json) -> None:
    update = page_of({"object": "activity", "data": data}).updates[0]
    assert update.data == (activity)


@pytest.mark.parametrize(("digits", "is_an_id"), [(19, True), (20, False), (21, False)])
def test_an_id_as_text_has_at_most_19_digits(digits: int, is_an_id: bool) -> None:  # noqa: FBT001 - pytest's way
    entry = {"object": "note", "data": {"id": "9" * digits}}
    (update,) = decode_page(json.dumps({"data": [entry]}).encode()).updates
    assert (update.decode_error is None) == is_an_id


@pytest.mark.parametrize("from_dicts", [False, True])
@pytest.mark.parametrize(
    ("odd", "read"),
    [
        ({"id": "31"}, {"id": 31}),
        ({"id": " 31 "}, {"id": 31}),
        ({"id": "-31"}, {"id": -31}),
        ({"id": 31.0}, {"id": 31}),
        ({"id": False}, {"id": None}),
        ({"person_id": "31", "deal_id": False, "org_id": ""}, {"person_id": 31}),
        ({"done": ""}, {"done": None}),
        ({"done": "true", "busy_flag": "false"}, {"done": True, "busy_flag": False}),
        ({"due_time": "9:30"}, {"due_time": time(9, 30)}),
        ({"due_time": "24:00"}, {"due_time": time(0)}),
        ({"due_time": "09:30:00.5"}, {"due_time": time(9, 30, 0, 500_000)}),
        ({"due_time": False, "due_date": False}, {}),
        ({"duration": "1:30"}, {"duration": timedelta(hours=1, minutes=30)}),
        ({"due_date": "2024-03-08 00:00:00"}, {"due_date": date(2024, 3, 8)}),
        ({"due_date": "0000-00-00"}, {"due_date": None}),
        (
            {"add_time": "2024-01-01 10:00:00.123"},
            {"add_time": datetime(2024, 1, 1, 10, 0, 0, 123_000, tzinfo=UTC)},
        ),
        ({"add_time": "0000-00-00 00:00:00"}, {"add_time": None}),
        ({"add_time": "2024-01-01"}, {"add_time": datetime(2024, 1, 1, tzinfo=UTC)}),
        ({"subject": 5, "note": False, "location": 1.5}, {"subject": "5", "location": "1.5"}),
        ({"file": "", "lead": False}, {}),
        ({"attendees": "", "participants": False, "series": {}}, {}),
        ({"participants": [None, {"person_id": "7"}]}, {"participants": (PARTICIPANT,)}),
    ],
)
def test_what_has_one_meaning_is_read(
    page_of: PageOf,
    odd: Json,
    read: Json,
    from_dicts: bool,  # noqa: FBT001 - pytest's way
) -> None:
    entry: Json = {
        "object": "activity",
        "data": {"type": "\ud83d" if from_dicts else "call", **odd},
    }
    (update,) = page_of(entry).updates
    assert update.decode_error is None
    assert update.data == Activity(type=entry["data"]["type"], **read)


@pytest.mark.parametrize(
    ("value", "read"),
    [(False, None), ("", None), ("600.50", 600.5), ("600", 600), ("1e3", 1000.0), (-2.5, -2.5)],
)
def test_a_number_may_be_text(value: Json, read: float | None) -> None:
    body = {"data": [], "related_objects": {"deal": {"1": {"value": value}}}}
    (deal,) = decode_page(json.dumps(body).encode(), strict=True).related.deals.values()
    assert deal.value == read
    assert type(deal.value) is type(read)


@pytest.mark.parametrize("value", ["", [], {}, None, False])
def test_the_timestamp_and_data_of_a_plain_record_may_hold_nothing(
    page_of: PageOf, value: Json
) -> None:
    update = page_of({"object": "follower", "data": value, "timestamp": ""}).updates[0]
    assert (update.data, update.decode_error) == ({}, None)


def test_a_zero_date_is_no_time(page_of: PageOf) -> None:
    entry = {"object": "note", "timestamp": "0000-00-00 00:00:00", "data": {"id": 1}}
    (update,) = page_of(entry).updates
    assert (update.timestamp, update.decode_error) == (None, None)


@pytest.mark.parametrize(
    ("value", "read"), [("x", "x"), ("31", "31"), (31, 31), (31.0, 31), (False, None), (None, None)]
)
def test_an_id_of_either_type_stays_as_it_is(page_of: PageOf, value: Json, read: Json) -> None:
    (update,) = page_of({"object": "comment", "data": {"object_id": value}}).updates
    assert update.data == Comment(object_id=read)


def test_an_id_of_either_type_is_no_flag(page_of: PageOf) -> None:
    (update,) = page_of({"object": "comment", "data": {"object_id": True}}).updates
    assert update.decode_error is not None
    assert update.decode_error.endswith("object_id: expected an integer or a string, got true")


def test_mail_tells_what_it_is_linked_to(decoded: Decoded) -> None:
    (update,) = decoded("newer_fields").updates[:1]
    assert isinstance(update.data, MailMessage)
    assert update.decode_error is None
    assert update.deal is not None
    assert update.deal.title == "Deal title"
    assert update.data.last_replied_at == datetime(2024, 3, 2, 8, tzinfo=UTC)
    assert update.data.expunged_flag is False
    assert update.data.in_reply_to == "<1@example.com>"


def test_notes_and_activities_tell_their_lead_and_project(decoded: Decoded) -> None:
    note, activity = (update.data for update in decoded("newer_fields").updates[1:3])
    assert isinstance(note, Note)
    assert note.lead == NoteLead(title="Lead title")
    assert note.project == NoteProject(title="Project title")
    assert isinstance(activity, Activity)
    assert activity.lead == ActivityLead(id="adf21080-0e10-11eb-879b-05d71fb426ec", title="Lead")


def test_older_files_tell_their_mail_and_note(decoded: Decoded) -> None:
    file = decoded("newer_fields").updates[3].data
    assert file == File(id=7, email_message_id="12", note_id=50)


def test_a_person_is_found_by_an_id_that_came_as_text(page_of: PageOf) -> None:
    body = {
        "data": [
            {"object": kind, "data": {"person_id": "31", "user_id": "7"}}
            for kind in ("activity", "call")
        ],
        "related_objects": {"person": {"31": {"id": "31", "name": "Person"}}, "user": {"7": {}}},
    }
    for update in decode_page(json.dumps(body).encode(), strict=True).updates:
        assert update.person is not None
        assert (update.person.id, update.person.name) == (31, "Person")
        assert update.actor is not None


@pytest.mark.parametrize("value", ["x", "1e999", "9" * 40, "1,5", "nan", True, []])
def test_what_is_no_number_is_refused(value: Json) -> None:
    body = {"data": [], "related_objects": {"deal": {"1": {"value": value}}}}
    with pytest.raises(DecodeError, match="expected a number"):
        decode_page(json.dumps(body).encode(), strict=True)


def test_a_number_beyond_all_bounds_is_no_text_and_no_integer(page_of: PageOf) -> None:
    for field in ("subject", "priority"):
        body = b'{"data": [{"object": "activity", "data": {"%s": 1e999}}]}' % field.encode()
        (update,) = decode_page(body).updates
        assert update.decode_error is not None
        assert "got inf" in update.decode_error
