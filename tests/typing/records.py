"""What type checkers know of the records; checked by mypy and pyright, never run."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, assert_type

from pipeflow.codec import decode_page, to_dict
from pipeflow.records import (
    Activity,
    ActivityParticipant,
    Comment,
    FieldChange,
    File,
    FlowPage,
    FlowUpdate,
    MailMessage,
    MailParty,
    Note,
    RelatedDeal,
    RelatedUser,
)


def matching_narrows_to_the_payload(update: FlowUpdate) -> None:
    match update.data:
        case FieldChange(field_key=key, new_value=value) as change:
            assert_type(key, str)
            assert_type(value, Any)
            assert_type(change.log_time, datetime | None)
        case Activity(subject=subject, done=done, participants=participants) as activity:
            assert_type(subject, str | None)
            assert_type(done, bool | None)
            assert_type(participants, tuple[ActivityParticipant, ...])
            assert_type(activity.due_date, date | None)
            assert_type(activity.due_time, time | None)
            assert_type(activity.duration, timedelta | None)
        case Note(content=content):
            assert_type(content, str | None)
        case File(file_size=size):
            assert_type(size, int | None)
        case MailMessage(from_=senders):
            assert_type(senders, tuple[MailParty, ...])
        case Comment(uuid=uuid):
            assert_type(uuid, str | None)
        case plain:
            assert_type(plain, dict[str, Any])


def an_update_tells_its_types(update: FlowUpdate) -> None:
    assert_type(update.object, str)
    assert_type(update.timestamp, datetime | None)
    assert_type(update.offset, int)
    assert_type(update.raw, Any)
    assert_type(update.raw_json, bytes | None)
    assert_type(update.decode_error, str | None)
    assert_type(update.actor, RelatedUser | None)
    assert_type(update.deal, RelatedDeal | None)
    assert_type(update.summary({"a": "b"}), str)


def a_page_tells_its_types(body: bytes) -> None:
    page = decode_page(body, strict=True, start=0)
    assert_type(page, FlowPage)
    assert_type(page.updates, tuple[FlowUpdate, ...])
    assert_type(page.next_start, int | None)
    assert_type(page.related.users, dict[int, RelatedUser])
    assert_type(to_dict(page), dict[str, Any])
    assert_type(to_dict(Note()), dict[str, Any])


def an_update_made_by_hand() -> None:
    FlowUpdate(object="note", data=Note(content="Likes tea"))
    FlowUpdate(object="call", data={"id": 1})
    FieldChange()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Note(id="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
