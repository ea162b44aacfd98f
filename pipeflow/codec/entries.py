"""The entries of a page: from their bytes to updates."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from pipeflow.codec.envelope import Envelope
from pipeflow.codec.fields import TIME
from pipeflow.codec.readers import means_nothing, mismatch, read_moment
from pipeflow.codec.shortcut import REFUSALS, build_from_twin, generate_build, twin_of
from pipeflow.codec.structuring import ShapeError, structure
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
from pipeflow.records.json_text import KeptPage, read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeflow.records import Payload
    from pipeflow.records.json_text import Json

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


def _twin_of_entry(kind: str) -> type[msgspec.Struct]:
    data: Any = twin_of(_PAYLOADS[kind]) if kind in _PAYLOADS else dict[str, Any]
    fields: list[Any] = [("data", data), ("timestamp", str | None, None)]
    return msgspec.defstruct(f"{kind}Entry", fields, tag_field="object", tag=kind, gc=False)


def _build_of_entry(kind: str) -> Callable[..., FlowUpdate]:
    return generate_build(
        FlowUpdate,
        "twin, offset, related, kept, index",
        {
            "object": repr(kind),
            "timestamp": TIME.shortcut.format("twin.timestamp"),
            "data": "build_data(twin.data)" if kind in _PAYLOADS else "twin.data",
            "offset": "offset",
            "related": "related",
            "decode_error": "None",
            "_kept": "kept",
            "_kept_index": "index",
        },
        {"build_data": build_from_twin(_PAYLOADS[kind])} if kind in _PAYLOADS else {},
    )


@attrs.frozen(eq=False, repr=False)
class _Shortcut:
    """What decodes the entries of all known kinds by way of their twins.

    Attributes:
        builds: For each twin what makes an update of it.
        decode_twin: Decodes one entry.
        decode_answer: Decodes an answer with all its entries.
    """

    builds: dict[type, Callable[..., FlowUpdate]]
    decode_twin: Callable[[Any], Any]
    decode_answer: Callable[[bytes], Envelope[Any]]


@functools.cache
def _shortcut() -> _Shortcut:
    """Made for the first page: it takes longer than importing all the rest."""
    kinds = sorted({*_PAYLOADS, *map(str, FlowItem)})
    builds = {_twin_of_entry(kind): _build_of_entry(kind) for kind in kinds}
    twin: Any = functools.reduce(operator.or_, builds)
    return _Shortcut(
        builds, msgspec.json.Decoder(twin).decode, msgspec.json.Decoder(Envelope[twin]).decode
    )


def decode_twins(body: bytes) -> Envelope[Any]:
    """Decodes an answer all of whose entries are of known kinds and as they should be."""
    return _shortcut().decode_answer(body)


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
    shortcut = _shortcut()
    updates = []
    entries.reverse()
    for index in range(len(entries)):
        twin = entries.pop()
        try:
            if are_raw:
                twin = shortcut.decode_twin(twin)
            update = shortcut.builds[type(twin)](twin, start + index, related, kept, index)
        except REFUSALS:
            text = kept.entry(index)
            update = decode_with_care(text, index, start, related, strict=strict)
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
    try:
        return read_moment(value)
    except ValueError as error:
        raise ShapeError(path, str(error)) from None


def _data(kind: str, value: Json, path: str) -> Payload | dict[str, Json]:
    if kind in _PAYLOADS:
        payload: Payload = structure(_object(value, path), _PAYLOADS[kind], path)
        return payload
    return {} if means_nothing(value) else _object(value, path)
