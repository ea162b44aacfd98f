"""`related_objects`: the users, persons, organizations and deals of a page, by id."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from pipeflow.codec.readers import mismatch
from pipeflow.codec.shortcut import REFUSALS, build_from_twin, twin_of
from pipeflow.codec.structuring import ShapeError, structure
from pipeflow.errors import DecodeError
from pipeflow.records import (
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.records.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeflow.records.json_text import Json

__all__ = ["RELATED_KINDS", "decode_related", "decode_related_with_care"]

RELATED_KINDS: dict[str, tuple[str, type]] = {
    "user": ("users", RelatedUser),
    "person": ("persons", RelatedPerson),
    "organization": ("organizations", RelatedOrganization),
    "deal": ("deals", RelatedDeal),
}
"""The kinds in JSON, their fields in `RelatedObjects` and their classes."""


@functools.cache
def _twin_decoder() -> msgspec.json.Decoder[Any]:
    """Made for the first page, like all that the shortcut needs."""
    twin = msgspec.defstruct(
        "RelatedObjectsTwin",
        [
            ("allOf", None, None),  # the form of the published example is left to care
            *(
                (kind, dict[int, twin_of(record)] | None, None)  # type: ignore[misc]
                for kind, (_, record) in RELATED_KINDS.items()
            ),
        ],
        gc=False,
    )
    return msgspec.json.Decoder(twin)


def decode_related(text: bytes, *, strict: bool) -> RelatedObjects:
    """What a page says about related objects.

    Args:
        text: The JSON of `related_objects`.
        strict: Whether an object that breaks its shape is an error, rather than left out.

    Raises:
        DecodeError: With `strict`, an object breaks its shape.
    """
    try:
        twins: Any = _twin_decoder().decode(text)
        related = {}
        for kind, (name, record) in RELATED_KINDS.items():
            build = build_from_twin(record)
            related[name] = {key: build(twin) for key, twin in (getattr(twins, kind) or {}).items()}
    except REFUSALS:
        return decode_related_with_care(text, strict=strict)
    return RelatedObjects(**related, raw_json=text)


def decode_related_with_care(text: bytes, *, strict: bool) -> RelatedObjects:
    """The same for any JSON, without the shortcut."""
    related: dict[str, dict[int, Any]] = {name: {} for name, _ in RELATED_KINDS.values()}
    problems: list[ShapeError] = []
    value = read_json(text)
    parts = [("$.related_objects", value)]
    if isinstance(value, dict) and isinstance(value.get("allOf"), list):
        parts += [(f"$.related_objects.allOf[{i}]", part) for i, part in enumerate(value["allOf"])]
    for path, part in parts:
        for kind, objects in _members(part, path, problems):
            if kind not in RELATED_KINDS:
                continue
            name, record = RELATED_KINDS[kind]
            for key, fields in _members(objects, f"{path}.{kind}", problems):
                try:
                    number = _id(key, f"{path}.{kind}")
                    related[name][number] = structure(fields, record, f"{path}.{kind}.{number}")
                except ShapeError as problem:
                    problems.append(problem)
    if strict and problems:
        raise DecodeError(str(problems[0]), path=problems[0].path)
    return RelatedObjects(**related, raw_json=text)


def _members(value: Json, path: str, problems: list[ShapeError]) -> Iterable[tuple[str, Json]]:
    if isinstance(value, dict):
        return value.items()
    if value is not None and value != []:
        problems.append(ShapeError(path, str(mismatch("an object", value))))
    return ()


def _id(key: str, path: str) -> int:
    if key.isascii() and key.removeprefix("-").isdigit():
        with suppress(ValueError):  # more digits than Python reads
            return int(key)
    raise ShapeError(path, str(mismatch("ids as keys", key)))
