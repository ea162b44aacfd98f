"""JSON values into records and back with cattrs, the way that has an answer for every value.

It takes what the API sends beside what it publishes (`fields.py`), and where a value breaks its
field's shape, says where and why.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from pipeflow.codec.fields import field_type, inner_record, wire_name
from pipeflow.codec.readers import mismatch, read_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records.json_text import Json

__all__ = ["ShapeError", "structure", "unstructure"]

RecordT = TypeVar("RecordT")


class ShapeError(Exception):
    """A value breaks the shape of its record.

    Attributes:
        path: Where in the answer, such as `$.data[3].data.due_date`.
        reason: Why.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def structure(value: Json, record: type[RecordT], path: str) -> RecordT:
    """The record that the JSON value at `path` holds.

    Raises:
        ShapeError: The value breaks the record's shape; the first place where it does.
    """
    try:
        return _converter().structure(value, record)
    except (BaseValidationError, ValueError) as error:
        inner_path, reason = _first_reason(error)
    raise ShapeError(path + inner_path, reason)


def unstructure(record: object) -> dict[str, Any]:
    """A record as JSON values in the API's own formats, without the fields that hold nothing."""
    values: dict[str, Any] = _converter().unstructure(record)
    return values


@functools.cache
def _converter() -> Converter:
    """Made when first needed, which for most programs is never: the shortcut does without it."""
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, _structures)
    converter.register_unstructure_hook_factory(attrs.has, _unstructures)
    return converter


def _first_reason(error: BaseException) -> tuple[str, str]:
    match error:
        case ClassValidationError() | IterableValidationError():
            # Each inner error has a note of the field or the index where it arose.
            inner, note = error.group_exceptions()[0][0]
            path, reason = _first_reason(inner)
            if isinstance(note, IterableValidationNote):
                return f"[{note.index}]{path}", reason
            return f".{wire_name(note.name)}{path}", reason
        case KeyError():
            return "", "is missing"
        case _:
            return "", str(error)


def _structures(record: type) -> Callable[[Any, Any], Any]:
    overrides: dict[str, Any] = {
        field.name: override(rename=wire_name(field.name), struct_hook=_reads(record, field))
        for field in attrs.fields(record)
    }
    structure_object: Any = make_dict_structure_fn(record, _converter(), **overrides)

    def structure_record(value: Json, _: object) -> object:
        if value == []:  # PHP writes an empty object like this
            value = {}
        if not isinstance(value, dict):
            raise mismatch("an object", value)
        return structure_object(value, record)

    return structure_record


def _reads(record: type, field: attrs.Attribute[Any]) -> Callable[[Any, Any], Any]:
    inner = inner_record(field.type)
    if inner is None:
        read = field_type(record, field).read
        return lambda value, _: read(value)
    if field.default is None:

        def read_record(value: Json, _: object) -> object:
            if value is None or value is False or value == "":
                return None
            return _converter().structure(value, inner)

        return read_record

    annotation: Any = list[inner | None]  # type: ignore[valid-type]

    def read_records(value: Json, _: object) -> object:
        if not isinstance(value, list):
            return read_array(value)
        return tuple(filter(None, _converter().structure(value, annotation)))

    return read_records


def _unstructures(record: type) -> Callable[[Any], dict[str, Any]]:
    overrides: dict[str, Any] = {
        field.name: override(rename=wire_name(field.name), unstruct_hook=_writes(record, field))
        for field in attrs.fields(record)
    }
    return make_dict_unstructure_fn(record, _converter(), _cattrs_omit_if_default=True, **overrides)


def _writes(record: type, field: attrs.Attribute[Any]) -> Callable[[Any], Any]:
    if inner_record(field.type) is None:
        return field_type(record, field).write
    if field.default is None:
        return _converter().unstructure
    return lambda values: [_converter().unstructure(value) for value in values]
