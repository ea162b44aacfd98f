from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.testing import FakePipedrive, generate_history, generate_related

Record = dict[str, Any]

FIELDS = json.loads((Path(__file__).parent / "published_fields.json").read_text())
WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
MAIL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
KINDS = {
    "activity",
    "call",
    "comment",
    "deal",
    "dealChange",
    "dealFollower",
    "document",
    "file",
    "follower",
    "invoice",
    "mailMessage",
    "mailMessageWithAttachment",
    "marketing_campaign_stat",
    "marketing_status_change",
    "note",
    "organizationChange",
    "organizationFollower",
    "participant",
    "personChange",
    "personFollower",
}


def of_kind(history: list[Record], *kinds: str) -> list[Record]:
    return [record["data"] for record in history if record["object"] in kinds]


def is_pending(record: Record) -> bool:
    return record["object"] == "activity" and not record["data"]["done"]


@settings(deadline=None, max_examples=50)  # a busy machine is no fault of a history
@given(st.integers(0, 300), st.integers())
def test_a_history_has_exactly_its_size_and_no_record_twice(size: int, seed: int) -> None:
    history = generate_history(seed=seed, size=size)
    assert len({json.dumps(record) for record in history}) == len(history) == size


def test_the_same_seed_gives_the_same_history() -> None:
    assert generate_history(seed=5) == generate_history(seed=5)


def test_another_seed_gives_another_history() -> None:
    assert generate_history(seed=5) != generate_history(seed=6)


def test_a_history_does_not_depend_on_the_date() -> None:
    newest = next(record for record in generate_history() if not is_pending(record))
    assert newest["timestamp"].startswith("2026-05-")


def test_a_history_goes_back_from_the_base_time_it_is_given() -> None:
    past = generate_history(base_time=datetime(2020, 3, 2, 12, tzinfo=UTC))
    assert all(record["timestamp"] < "2020-03-02" for record in past if not is_pending(record))


def test_undone_activities_come_first_and_the_rest_newest_first() -> None:
    history = generate_history(size=1200)
    assert [is_pending(record) for record in history] == [True] * 12 + [False] * 1188
    for part in (history[:12], history[12:]):
        times = [record["timestamp"] for record in part]
        assert times == sorted(times, reverse=True)


def test_some_undone_activities_are_due_later_and_some_are_overdue() -> None:
    due = [record["data"]["due_date"] for record in generate_history() if is_pending(record)]
    assert max(due) > "2026-06-01" > min(due)


@pytest.mark.parametrize("about", ["person", "deal", "organization"])
def test_every_kind_of_record_occurs(about: Literal["person", "deal", "organization"]) -> None:
    history = generate_history(size=60, about=about)
    assert {record["object"] for record in history} == KINDS


def test_a_deals_history_has_more_changes_of_deals() -> None:
    of_person, of_deal = generate_history(), generate_history(about="deal")
    assert len(of_kind(of_deal, "dealChange")) > 2 * len(of_kind(of_person, "dealChange"))


def test_some_changes_are_of_custom_fields() -> None:
    changes = of_kind(generate_history(), "personChange", "dealChange", "organizationChange")
    keys = {change["field_key"] for change in changes}
    custom = {key for key in keys if re.fullmatch("[0-9a-f]{40}", key)}
    assert 5 <= len(custom) < len(keys)


def test_a_change_begins_where_the_last_one_of_its_field_ended() -> None:
    present: dict[tuple[str, int, str], object] = {}
    for record in reversed(generate_history()):
        if record["object"].endswith("Change"):
            change = record["data"]
            place = (record["object"], change["item_id"], change["field_key"])
            assert change["old_value"] == present.get(place)
            assert change["new_value"] != change["old_value"]
            present[place] = change["new_value"]


def test_a_change_without_formatted_values_has_an_empty_array() -> None:
    changes = of_kind(generate_history(), "personChange")
    found = [change["additional_data"] for change in changes]
    assert [] in found
    assert all(isinstance(each, dict) and each for each in found if each != [])


@pytest.mark.parametrize("kind", list(FIELDS))
def test_a_payload_has_every_published_and_newer_field_and_no_other(kind: str) -> None:
    for data in of_kind(generate_history(), kind):
        assert set(data) | ({"attachments"} & set(FIELDS[kind])) == set(FIELDS[kind])


def test_times_have_the_wire_form_and_those_of_mails_are_iso() -> None:
    for record in generate_history():
        is_mail = record["object"].startswith("mail")
        assert WIRE_TIME.fullmatch(record["timestamp"])
        for name, value in record["data"].items():
            if name.endswith(("_time", "timestamp")) and name != "due_time" and value:
                assert (MAIL_TIME if is_mail else WIRE_TIME).fullmatch(value), name


def test_missing_times_and_durations_are_empty_strings() -> None:
    activities = of_kind(generate_history(), "activity")
    assert {"", "01:00"} <= {activity["duration"] for activity in activities}
    assert "" in {activity["due_time"] for activity in activities}
    for activity in activities:
        assert (activity["marked_as_done_time"] == "") is not activity["done"]


def test_an_activity_is_planned_before_it_is_due() -> None:
    for activity in of_kind(generate_history(), "activity"):
        assert date.fromisoformat(activity["due_date"]) > date.fromisoformat(
            activity["add_time"][:10]
        )
        assert activity["add_time"] < "2026-06-01"


def test_flags_of_a_mail_are_zero_or_one() -> None:
    for mail in of_kind(generate_history(), "mailMessage", "mailMessageWithAttachment"):
        flags = [value for name, value in mail.items() if name.endswith("_flag")]
        assert len(flags) == 13
        assert all(type(flag) is int and flag in {0, 1} for flag in flags)


def test_mails_come_with_attachments_without_and_with_an_empty_list() -> None:
    mails = of_kind(generate_history(), "mailMessage")
    attached = [mail.get("attachments") for mail in mails]
    assert None in attached
    assert [] in attached
    for mail, files in zip(mails, attached, strict=True):
        assert mail["has_attachments_flag"] == bool(files)
        for file in files or []:
            assert set(file) == set(FIELDS["file"])
            assert file["mail_message_id"] == str(mail["id"])
    for mail in of_kind(generate_history(), "mailMessageWithAttachment"):
        assert mail["attachments"]


def test_ids_of_a_kind_are_unique() -> None:
    history = generate_history()
    for kind in KINDS - {"comment", "mailMessage", "mailMessageWithAttachment"}:
        ids = [data["id"] for data in of_kind(history, kind)]
        assert len(set(ids)) == len(ids)


async def test_every_name_in_a_history_stands_in_its_related_objects() -> None:
    history = generate_history(person_id=7)
    related = generate_related(person_id=7)
    users = {data["user_id"] for record in history if "user_id" in (data := record["data"])}
    deals = {record["data"].get("deal_id") for record in history} - {None}
    assert users <= set(related["user"])
    assert deals <= set(related["deal"])
    assert {7} < set(related["person"])
    assert set(related["organization"]) == {4007}


def test_different_persons_have_different_ids_and_names() -> None:
    one, other = generate_related(person_id=1101), generate_related(person_id=1102)
    assert one["person"][1101]["name"] != other["person"][1102]["name"]
    assert not set(one["deal"]) & set(other["deal"])
    assert set(one["person"]) & set(other["person"]) == set()


@pytest.mark.parametrize("member", ["user", "person"])
def test_made_up_addresses_are_ascii_and_lead_nowhere(member: str) -> None:
    for person_id in range(10):
        for someone in generate_related(person_id=person_id)[member].values():
            emails = someone["email"]
            address = emails if isinstance(emails, str) else emails[0]["value"]
            assert re.fullmatch(r"[a-z.-]+@example\.com", address)


def test_a_demo_is_made_once_and_each_server_has_its_own() -> None:
    one, other = FakePipedrive(), FakePipedrive()
    assert one.records(deal=11011) == other.records(deal=11011)
    assert one.records(organization=5101)
