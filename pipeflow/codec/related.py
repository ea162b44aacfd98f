"""`related_objects`: the users, persons, organizations and deals of a page, by id."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from pipeflow.codec.converting import ShapeError
from pipeflow.codec.readers import means_nothing, mismatch
from pipeflow.errors import DecodeError
from pipeflow.records import (
    RelatedDeal,
    RelatedObjects,
    RelatedOrganization,
    RelatedPerson,
    RelatedUser,
)
from pipeflow.records.json_text import JsonText, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeflow.codec.converting import RecordConverter
    from pipeflow.records.json_text import Json

__all__ = ["RELATED_KINDS", "RelatedDecoder"]

RELATED_KINDS: dict[str, tuple[str, type]] = {
    "user": ("users", RelatedUser),
    "person": ("persons", RelatedPerson),
    "organization": ("organizations", RelatedOrganization),
    "deal": ("deals", RelatedDeal),
}
"""The kinds in JSON, their fields in `RelatedObjects` and their classes."""


class RelatedDecoder:
    """Decodes the related objects of pages.

    Args:
        converter: What structures them.
    """

    def __init__(self, converter: RecordConverter) -> None:
        self._converter = converter

    @functools.cached_property
    def _decode_twins(self) -> Callable[[bytes], Any]:
        """Made for the first page, like everything about twins (see `twins`)."""
        fields: list[Any] = [("allOf", None, None)]  # the form of the published example takes dicts
        for kind, (_, record) in RELATED_KINDS.items():
            twin: Any = self._converter.twin(record) or Any
            fields.append((kind, dict[int, twin] | None, None))
        return msgspec.json.Decoder(msgspec.defstruct("RelatedTwin", fields, gc=False)).decode

    def related(self, text: bytes, *, strict: bool) -> RelatedObjects:
        """What a page says about related objects.

        Args:
            text: The JSON of `related_objects`.
            strict: Whether an object that breaks its shape is an error, rather than left out.

        Raises:
            DecodeError: With `strict`, an object breaks its shape.
        """
        try:
            twins: Any = self._decode_twins(text)
            related = {}
            for kind, (name, record) in RELATED_KINDS.items():
                structure = self._converter.hook(record)
                found = getattr(twins, kind) or {}
                related[name] = {key: structure(twin, record) for key, twin in found.items()}
        except Exception:  # noqa: BLE001 - a hook of the user's may raise anything
            return self.related_from_dicts(text, strict=strict)
        return _related(related, text)

    def related_from_dicts(self, text: bytes, *, strict: bool) -> RelatedObjects:
        """The same for any JSON, without twins."""
        related: dict[str, dict[int, Any]] = {name: {} for name, _ in RELATED_KINDS.values()}
        problems: list[ShapeError] = []
        value = read_json(text)
        parts = [("$.related_objects", value)]
        if isinstance(value, dict) and isinstance(value.get("allOf"), list):
            all_of = enumerate(value["allOf"])
            parts += [(f"$.related_objects.allOf[{index}]", part) for index, part in all_of]
        for path, part in parts:
            for kind, objects in _members(part, path, problems):
                if kind not in RELATED_KINDS:
                    continue
                name, record = RELATED_KINDS[kind]
                for key, fields in _members(objects, f"{path}.{kind}", problems):
                    try:
                        number = _id(key, f"{path}.{kind}")
                        place = f"{path}.{kind}.{number}"
                        related[name][number] = self._converter.structure(fields, record, place)
                    except ShapeError as problem:
                        problems.append(problem)
        if strict and problems:
            raise DecodeError(str(problems[0]), path=problems[0].path)
        return _related(related, text)


def _related(related: dict[str, dict[int, Any]], text: bytes) -> RelatedObjects:
    read = tuple(related[name] for name, _ in RELATED_KINDS.values())
    return RelatedObjects(**related, json_text=JsonText(text, data=read))


def _members(value: Json, path: str, problems: list[ShapeError]) -> Iterable[tuple[str, Json]]:
    if isinstance(value, dict):
        return value.items()
    if not means_nothing(value):
        problems.append(ShapeError(path, str(mismatch("an object", value))))
    return ()


def _id(key: str, path: str) -> int:
    if key.isascii() and key.removeprefix("-").isdigit():
        with suppress(ValueError):  # more digits than Python reads
            return int(key)
    raise ShapeError(path, str(mismatch("ids as keys", key)))
