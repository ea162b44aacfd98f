"""The entries of a page: from their bytes to updates."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import msgspec

from pipeflow.codec.fields import mismatch
from pipeflow.codec.shortcut import REFUSALS, build_from_twin, draft_of, twin_of
from pipeflow.codec.structuring import ShapeError, structure
from pipeflow.codec.times import read_datetime
from pipeflow.errors import DecodeError
from pipeflow.records import (
    Activity,
    Comment,
    FieldChange,
    File,
    FlowUpdate,
    MailMessage,
    Note,
    Payload,
    RelatedObjects,
)
from pipeflow.records.kept import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["decode_updates", "decode_with_care"]

_PAYLOADS: dict[str, type[Payload]] = {
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

_KINDS = {
    msgspec.defstruct(
        f"{kind}Entry",
        [("data", twin_of(payload)), ("timestamp", str | None, None)],
        tag_field="object",
        tag=kind,
        gc=False,
    ): (kind, build_from_twin(payload))
    for kind, payload in _PAYLOADS.items()
}
_decode_twin = msgspec.json.Decoder(functools.reduce(operator.or_, _KINDS)).decode
_Draft = draft_of(FlowUpdate)


def decode_updates(
    entries: Sequence[bytes | msgspec.Raw], start: int, related: RelatedObjects, *, strict: bool
) -> tuple[FlowUpdate, ...]:
    """The updates that the entries of a page hold.

    Args:
        entries: The JSON of each entry.
        start: The offset of the first.
        related: The page's related objects.
        strict: Whether an entry that breaks its shape is an error.

    Raises:
        DecodeError: With `strict`, an entry breaks its shape.
    """
    updates = []
    for index, entry in enumerate(entries):
        text = bytes(entry)  # a copy, so that one update does not keep a whole page in memory
        try:
            twin = _decode_twin(text)
            kind, build = _KINDS[twin.__class__]
            data = build(twin.data)
            timestamp = read_datetime(twin.timestamp) if twin.timestamp else None
        except REFUSALS:
            updates.append(decode_with_care(text, index, start, related, strict=strict))
            continue
        update = _Draft()
        update.object = kind
        update.timestamp = timestamp
        update.data = data
        update.offset = start + index
        update.related = related
        update.decode_error = None
        update._raw_json = text
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
        if not isinstance(entry, dict):
            raise ShapeError(path, str(mismatch("an object", entry)))
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


def _kind(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    raise ShapeError(path, str(mismatch("a string", value)))


def _timestamp(value: Any, path: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return read_datetime(value)
    except (TypeError, ValueError):
        reason = str(mismatch("a time such as 2020-08-03 11:25:21", value))
        raise ShapeError(path, reason) from None


def _data(kind: str, value: Any, path: str) -> Payload | dict[str, Any]:
    if kind in _PAYLOADS and isinstance(value, dict):
        return structure(value, _PAYLOADS[kind], path)
    if isinstance(value, dict):
        return value
    if kind not in _PAYLOADS and (value is None or value == []):
        return {}
    raise ShapeError(path, str(mismatch("an object", value)))
