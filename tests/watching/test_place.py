from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve, frozen

from pipeflow.records import Activity, Comment, FieldChange, FlowUpdate, MailMessage, Note
from pipeflow.watching.place import Sighting, sightings

MORNING = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def sighting(update: FlowUpdate) -> Sighting:
    (found,) = sightings([update], {})
    return found


def note(**fields: object) -> FlowUpdate:
    data = Note(**{"id": 5, "add_time": MORNING, "update_time": MORNING, **fields})  # type: ignore[arg-type]
    return FlowUpdate(object="note", timestamp=MORNING, data=data)


def test_a_record_is_its_kind_and_id() -> None:
    other = evolve(note(), object="file")
    assert sighting(note()).identity == sighting(note(content="edited")).identity
    assert sighting(note()).identity != sighting(note(id=6)).identity
    assert sighting(note()).identity != sighting(other).identity


def test_records_without_an_id_are_told_apart_by_their_number() -> None:
    update = FlowUpdate(object="call", timestamp=MORNING, data={"subject": "made up"})
    counts: dict[str, int] = {}
    first, second = sightings([update, update], counts)
    (third,) = sightings([update], counts)
    assert len({first.identity, second.identity, third.identity}) == 3
    assert sighting(evolve(update, data={"new": "field"})).identity == first.identity


def test_a_new_field_is_no_new_state() -> None:
    assert sighting(note()).state == sighting(note(content="written otherwise")).state


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (note(), note(update_time=MORNING.replace(hour=9))),
        (note(active_flag=True), note(active_flag=False)),
        (
            FlowUpdate(object="activity", data=Activity(id=1, done=False)),
            FlowUpdate(object="activity", data=Activity(id=1, done=True)),
        ),
        (
            FlowUpdate(object="mailMessage", data=MailMessage(id=1, sent_flag=False)),
            FlowUpdate(object="mailMessage", data=MailMessage(id=1, sent_flag=True)),
        ),
        (
            FlowUpdate(object="invoice", data={"id": 1, "update_time": "2026-03-02 08:30:00"}),
            FlowUpdate(object="invoice", data={"id": 1, "update_time": "2026-03-02 09:30:00"}),
        ),
    ],
)
def test_an_edit_is_a_new_state(before: FlowUpdate, after: FlowUpdate) -> None:
    assert sighting(before).identity == sighting(after).identity
    assert sighting(before).state != sighting(after).state


def test_that_a_mail_was_read_is_no_new_state() -> None:
    unread, read = (
        FlowUpdate(object="mailMessage", data=MailMessage(id=1, read_flag=flag))
        for flag in (False, True)
    )
    assert sighting(unread).state == sighting(read).state


@pytest.mark.parametrize(
    ("update", "touched"),
    [
        (note(), MORNING),
        (note(update_time=None, add_time=None), None),
        (
            FlowUpdate(object="personChange", data=FieldChange(field_key="a", log_time=MORNING)),
            MORNING,
        ),
        (FlowUpdate(object="comment", data=Comment(uuid="a", update_time=MORNING)), MORNING),
        (FlowUpdate(object="call", data={"add_time": "2026-03-02 08:30:00"}), MORNING),
        (FlowUpdate(object="call", data={"add_time": "", "update_time": 5}), None),
    ],
)
def test_when_a_record_was_last_written(update: FlowUpdate, touched: datetime | None) -> None:
    assert sighting(update).touched == touched


def test_a_planned_activity_is_undone() -> None:
    planned = FlowUpdate(object="activity", data=Activity(id=1, done=False))
    done = FlowUpdate(object="activity", data=Activity(id=1, done=True))
    plain = FlowUpdate(object="activity", data={"id": 1, "done": False})
    assert sighting(planned).is_undone
    assert sighting(plain).is_undone
    assert not sighting(done).is_undone
    assert not sighting(note()).is_undone


def test_records_of_a_users_class_have_a_state_too() -> None:
    @frozen
    class Follower:
        id: int
        update_time: str

    before, after = (
        FlowUpdate(object="follower", data=Follower(1, time))  # type: ignore[arg-type]
        for time in ("2026-03-02 08:30:00", "2026-03-02 09:30:00")
    )
    assert sighting(before).state != sighting(after).state
