"""What a watch remembers of one history: enough to know what is new, and no contents.

Each record that matters is remembered by two short hashes: its *identity* (kind and id) and its
*state* (the few fields whose change is worth telling). So a record that Pipedrive serves with one
more field is still the same, and a checkpoint holds nothing that anyone wrote.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from pipeflow.codec.times import read_datetime
from pipeflow.records import Activity, Comment, FieldChange, File, MailMessage, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeflow.records import FlowUpdate

__all__ = ["IDENTITY_LENGTH", "REMEMBERED", "Place", "Sighting", "sightings"]

REMEMBERED = 50
"""Records of the past that a place holds, from the newest down. More than a poll needs to find
where it was (`pipeflow.watching.poll.RUN`), so that many may be removed at once."""

STATE_FIELDS: dict[type, tuple[str, ...]] = {
    Activity: (
        "update_time",
        "done",
        "due_date",
        "due_time",
        "duration",
        "subject",
        "user_id",
        "active_flag",
    ),
    Note: ("update_time", "active_flag"),
    File: ("update_time", "active_flag"),
    Comment: ("update_time", "active_flag"),
    MailMessage: ("draft_flag", "sent_flag", "deleted_flag"),  # not that it was read
    FieldChange: (),  # a change stays what it was
}
"""The fields that make up a record's state. Another list is another version of the checkpoints."""

OTHER_STATE_FIELDS = ("update_time", "done", "active_flag")
"""The same for plain dicts, and for classes of the user's."""

_TOUCHED = ("add_time", "update_time", "marked_as_done_time", "log_time")
_HASH_BYTES = 6
IDENTITY_LENGTH = 8
"""Characters of an identity, as of a state: six bytes in base64."""


@frozen(eq=False)
class Sighting:
    """One record, as one poll saw it.

    Attributes:
        update: The record.
        identity: The hash of its kind and id.
        state: The hash of its state.
        is_undone: Whether it is an activity that is still to be done; these come first.
        touched: When Pipedrive last wrote it, in UTC, as far as it says.
        added: When it came into Pipedrive, in UTC, as far as it says.
    """

    update: FlowUpdate
    identity: str
    state: str
    is_undone: bool
    touched: datetime | None
    added: datetime | None


@frozen(kw_only=True)
class Place:
    """Where a watch stands in one history.

    Attributes:
        moment: When all of the history, as deep as a deep look goes, was last known, by the
            server's clock. What was written before it is old, wherever it turns up.
        undone: The state of each activity still to be done, by identity.
        missing: Those of them that have vanished and were not found again yet, and what is known to
            have changed but was not told yet.
        past: The state of each of the newest other records, by identity, the newest first.
        recent: The state of the other records that were written, or told, since `moment`.
        whole: Whether `undone` and `past` are all that the history holds.
    """

    moment: datetime
    undone: Mapping[str, str] = field(factory=dict)
    missing: Mapping[str, str] = field(factory=dict)
    past: Mapping[str, str] = field(factory=dict)
    recent: Mapping[str, str] = field(factory=dict)
    whole: bool = False

    def state_of(self, identity: str) -> str | None:
        """The state in which a record was last seen; None for an unknown one."""
        for known in (self.undone, self.past, self.recent, self.missing):
            if identity in known:
                return known[identity]
        return None


def sightings(updates: Iterable[FlowUpdate], counts: dict[str, int]) -> list[Sighting]:
    """What the records of one read are, each once.

    Args:
        updates: The records, in the order of the history.
        counts: How often each identity without an id has been seen in this read so far. Records
            without an id are told apart by kind, time and how many of these there are.
    """
    return [_sighting(update, counts) for update in updates]


def _sighting(update: FlowUpdate, counts: dict[str, int]) -> Sighting:
    if update.id is not None:
        identity = _hash(update.object, update.id)
    else:
        alike = _hash(update.object, update.timestamp)
        counts[alike] = counts.get(alike, 0) + 1
        identity = _hash(update.object, update.timestamp, counts[alike])
    data = update.data
    fields = STATE_FIELDS.get(type(data), OTHER_STATE_FIELDS)
    times = [time for name in _TOUCHED if (time := _time(_value(data, name))) is not None]
    return Sighting(
        update=update,
        identity=identity,
        state=_hash(*(_value(data, name) for name in fields)),
        is_undone=update.is_planned,
        touched=max(times, default=None),
        added=_time(_value(data, "add_time")),
    )


def _value(data: object, name: str) -> object:
    return data.get(name) if isinstance(data, dict) else getattr(data, name, None)


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            return read_datetime(value)
        except ValueError:
            return None
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else None


def _hash(*parts: object) -> str:
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(
        hashlib.blake2b(text, digest_size=_HASH_BYTES).digest()
    ).decode()
