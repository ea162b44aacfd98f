"""The entries of a page: from their bytes to updates."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import msgspec

from pipeflow.codec.envelope import Envelope
from pipeflow.codec.fields import mismatch
from pipeflow.codec.shortcut import REFUSALS, build_from_twin, draft_of, twin_of
from pipeflow.codec.structuring import ShapeError, structure
from pipeflow.codec.times import read_datetime
from pipeflow.errors import DecodeError
from pipeflow.items import FlowItem
from pipeflow.records import (
    Activity,
    Comment,
    FieldChange,
    File,
    FlowUpdate,
    MailMessage,
    Note,
    RelatedObjects,
)
from pipeflow.records.kept import KeptPage, read_json

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.records import Payload
    from pipeflow.records.kept import Json

__all__ = ["decode_twins", "decode_updates", "decode_with_care"]

_PAYLOADS: dict[str, type] = {
    "personChange": FieldChange,
    "dealChange": FieldChange,
    "organizationChange": FieldChange,
    "activity": Activity,
    "note": Note,
    "file": File,
    "mailMessage": MailMessage,
    "mailMessageWithAttachment": MailMessage,
    "comment": Comment,
}


def _as_it_is(data: dict[str, Json]) -> dict[str, Json]:
    return data


_KINDS = {
    msgspec.defstruct(
        f"{kind}Entry",
        [
            ("data", twin_of(_PAYLOADS[kind]) if kind in _PAYLOADS else dict[str, Any]),
            ("timestamp", str | None, None),
        ],
        tag_field="object",
        tag=kind,
        gc=False,
    ): (kind, build_from_twin(_PAYLOADS[kind]) if kind in _PAYLOADS else _as_it_is)
    for kind in sorted({*_PAYLOADS, *map(str, FlowItem)})
}
"""The twins of the entries of all known kinds, the kind's name, and what builds its payload."""

_Twin: Any = functools.reduce(operator.or_, _KINDS)
_decode_twin = msgspec.json.Decoder(_Twin).decode
decode_twins = msgspec.json.Decoder(Envelope[_Twin]).decode
"""Decodes an answer all of whose entries are of known kinds and as they should be."""

_Draft = draft_of(FlowUpdate)


def decode_updates(
    entries: list[Any], body: bytes, start: int, related: RelatedObjects, *, strict: bool
) -> tuple[FlowUpdate, ...]:
    """The updates that the entries of a page hold.

    Args:
        entries: The entries: either the twins of all, or the JSON of each as `msgspec.Raw`. The
            list is used up, so that the memory of a twin serves for the next record.
        body: The body of the answer.
        start: The offset of the first entry.
        related: The page's related objects.
        strict: Whether an entry that breaks its shape is an error.

    Raises:
        DecodeError: With `strict`, an entry breaks its shape.
    """
    are_raw = entries and isinstance(entries[0], msgspec.Raw)
    kept = KeptPage(body, [bytes(entry) for entry in entries] if are_raw else None)
    updates = []
    entries.reverse()
    for index in range(len(entries)):
        twin = entries.pop()
        try:
            if are_raw:
                twin = _decode_twin(twin)
            kind, build = _KINDS[type(twin)]
            data = build(twin.data)
            timestamp = read_datetime(twin.timestamp) if twin.timestamp else None
        except REFUSALS:
            text = kept.entry(index)
            updates.append(decode_with_care(text, index, start, related, strict=strict))
            continue
        update = _Draft()
        update.object = kind
        update.timestamp = timestamp
        update.data = data
        update.offset = start + index
        update.related = related
        update.decode_error = None
        update._kept = kept  # noqa: SLF001 - no `__init__` does it: this is where updates are made
        update._kept_index = index  # noqa: SLF001 - the same
        update.__class__ = FlowUpdate
        updates.append(update)
    return tuple(updates)


def decode_with_care(
    text: bytes, index: int, start: int, related: RelatedObjects, *, strict: bool
) -> FlowUpdate:
    """The update that one entry holds, whatever that may be; without the shortcut."""
    kind: str = ""
    timestamp: datetime | None = None
    data: Payload | dict[str, Any] = {}
    problem: ShapeError | None = None
    path = f"$.data[{index}]"
    entry = read_json(text)
    try:
        entry = _object(entry, path)
        if isinstance(entry.get("data"), dict):
            data = entry["data"]
        kind = _kind(entry.get("object"), f"{path}.object")
        timestamp = _timestamp(entry.get("timestamp"), f"{path}.timestamp")
        data = _data(kind, entry.get("data"), f"{path}.data")
    except ShapeError as error:
        problem = error
    if problem is not None and strict:
        raise DecodeError(str(problem), path=problem.path)
    return FlowUpdate(
        object=kind,
        timestamp=timestamp,
        data=data,
        offset=start + index,
        related=related,
        decode_error=None if problem is None else str(problem),
        raw_json=text,
    )


def _object(value: Json, path: str) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise ShapeError(path, str(mismatch("an object", value)))


def _kind(value: Json, path: str) -> str:
    if isinstance(value, str):
        return value
    raise ShapeError(path, str(mismatch("a string", value)))


def _timestamp(value: Json, path: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return read_datetime(value)
    except (TypeError, ValueError):
        reason = str(mismatch("a time such as 2020-08-03 11:25:21", value))
        raise ShapeError(path, reason) from None


def _data(kind: str, value: Json, path: str) -> Payload | dict[str, Json]:
    if kind in _PAYLOADS:
        payload: Payload = structure(_object(value, path), _PAYLOADS[kind], path)
        return payload
    return {} if value is None or value == [] else _object(value, path)
