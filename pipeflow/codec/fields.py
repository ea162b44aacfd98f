"""How each type that a record's field can have stands in JSON.

The annotations of the records are the only declaration; this table says what they mean. Both ways
of decoding are made from it: cattrs calls `read` with whatever JSON holds; the shortcut has
msgspec check that JSON holds the type `wire`, and then only does what `shortcut` says.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import attrs

from pipeflow.codec.readers import (
    FLAGS,
    mismatch,
    read_array,
    read_clock,
    read_day,
    read_flag,
    read_int,
    read_int_or_text,
    read_length,
    read_moment,
    read_number,
    read_text,
)
from pipeflow.codec.times import (
    from_iso,
    read_date,
    read_datetime,
    read_duration,
    read_time,
    write_datetime,
    write_duration,
    write_iso_datetime,
    write_time,
)
from pipeflow.records import MailMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records.json_text import Json

__all__ = [
    "SHORTCUT_NAMES",
    "TIME",
    "FieldType",
    "field_type",
    "inner_record",
    "wire_name",
]


def _as_it_is(value: Json) -> Json:
    return value


def _read_key(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise mismatch("a string", value)


@attrs.frozen(eq=False)
class FieldType:
    """What JSON holds for a field of one type, and how that is read and written.

    Attributes:
        wire: The type that JSON usually holds, for msgspec.
        read: Makes the field's value of any JSON value, or raises ValueError.
        shortcut: A Python expression that does the same for a value of the type `wire`, which
            stands for `{}`; it can use the `SHORTCUT_NAMES` and raise KeyError or ValueError.
        write: Makes a JSON value of a field's value other than None.
    """

    wire: Any
    read: Callable[[Any], Any]
    shortcut: str = "{}"
    write: Callable[[Any], Any] = _as_it_is


def wire_name(attribute: str) -> str:
    """The name of a field in JSON: without the underscore that keeps it from being a keyword."""
    return attribute.rstrip("_")


def inner_record(annotation: object) -> type | None:
    """The record class within `Inner | None` or `tuple[Inner, ...]`, if there is one."""
    return next((inner for inner in get_args(annotation) if attrs.has(inner)), None)


def field_type(record: type, field: attrs.Attribute[Any]) -> FieldType:
    """The row of the table for a field that holds no record."""
    if field.name == "id" and field.type == int | None:
        return _ID
    if record is MailMessage and field.type == datetime | None:
        return _ISO_TIME
    return _FIELD_TYPES[field.type]


_IF_GIVEN = "(%s(text) if (text := {}) else None)"
TIME = FieldType(
    wire=str | None,
    read=read_moment,
    # What `read_datetime` does first, without the call: there are so many times.
    shortcut=(
        "((from_iso(text + '+00:00') if len(text) == 19 else read_datetime(text))"
        " if (text := {}) else None)"
    ),
    write=write_datetime,
)
_ISO_TIME = attrs.evolve(TIME, write=write_iso_datetime)
_ID = FieldType(
    wire=int | str | bool | None,
    read=read_int,
    shortcut="(id if type(id := {}) is int else read_int(id))",
)
_FIELD_TYPES: dict[Any, FieldType] = {
    Any: FieldType(Any, _as_it_is),
    tuple[Any, ...]: FieldType(list[Any] | None, read_array, "tuple({} or ())", list),
    str: FieldType(str, _read_key),
    str | None: FieldType(str | None, read_text),
    int | None: FieldType(int | None, read_int),
    int | str | None: FieldType(int | str | None, read_int_or_text),
    int | float | None: FieldType(int | float | None, read_number),
    bool | None: FieldType(bool | int | str | None, read_flag, "flags[{}]"),
    datetime | None: TIME,
    date | None: FieldType(str | None, read_day, _IF_GIVEN % "read_date", date.isoformat),
    time | None: FieldType(str | None, read_clock, _IF_GIVEN % "read_time", write_time),
    timedelta | None: FieldType(
        str | None, read_length, _IF_GIVEN % "read_duration", write_duration
    ),
}
SHORTCUT_NAMES: dict[str, Any] = {
    "from_iso": from_iso,
    "flags": FLAGS,
    "read_date": read_date,
    "read_datetime": read_datetime,
    "read_duration": read_duration,
    "read_int": read_int,
    "read_time": read_time,
}
"""What the expressions of `FieldType.shortcut` can use."""
