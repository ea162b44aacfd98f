"""How each type that a record's field can have stands in JSON.

The annotations of the records are the only declaration; this table says what they mean. Both ways
of decoding are made from it (`converting.py` tells which they are), and so is encoding.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import attrs

from pipeflow.codec.readers import (
    FLAGS,
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
    required,
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

__all__ = ["FIELD_TYPES", "INLINE_NAMES", "FieldType", "field_type", "inner_record", "wire_name"]


def _as_it_is(value: Json) -> Json:
    return value


@attrs.frozen(eq=False)
class FieldType:
    """What JSON holds for a field of one type, and how that is read and written.

    Attributes:
        wire: The type that JSON usually holds, for msgspec.
        read: Makes the field's value of any JSON value, or raises ValueError.
        inline: A Python expression that comes to the same for a value of the type `wire`, which
            stands for `{value}`; or that raises KeyError or ValueError. It may use the
            `INLINE_NAMES`. There are so many flags and times that calling `read` for each would
            take a tenth of the time of decoding.
        write: Makes a JSON value of a field's value other than None.
    """

    wire: Any
    read: Callable[[Any], Any]
    inline: str = "{value}"
    write: Callable[[Any], Any] = _as_it_is


def wire_name(attribute: str) -> str:
    """The name of a field in JSON: without the underscore that keeps it from being a keyword."""
    return attribute.rstrip("_")


def inner_record(annotation: object) -> type | None:
    """The record class within `Inner | None` or `tuple[Inner, ...]`, if there is one."""
    return next((inner for inner in get_args(annotation) if attrs.has(inner)), None)


def field_type(record: type, field: attrs.Attribute[Any]) -> FieldType | None:
    """The row of the table for a field; None for one of another type."""
    if issubclass(record, MailMessage) and field.type == datetime | None:
        return _ISO_TIME
    if field.name == "id" and field.type == int | None:
        return _ID
    return FIELD_TYPES.get(field.type)


_IF_GIVEN = "(%s(it) if (it := {value}) else None)"
_MOMENT = FieldType(
    wire=str | None,
    read=read_moment,
    inline=(
        "((from_iso(it + '+00:00') if len(it) == 19 else read_datetime(it))"
        " if (it := {value}) else None)"
    ),
    write=write_datetime,
)
_ISO_TIME = attrs.evolve(_MOMENT, write=write_iso_datetime)
_ID = FieldType(
    # As text in the published example, and as `false` in real answers.
    wire=int | str | bool | None,
    read=read_int,
    inline="(it if type(it := {value}) is int else read_int(it))",
)
FIELD_TYPES: dict[Any, FieldType] = {
    Any: FieldType(Any, _as_it_is),
    tuple[Any, ...]: FieldType(
        list[Any] | None, read_array, "(tuple(it) if (it := {value}) else ())", list
    ),
    str: FieldType(str, required(read_text, "a string")),
    str | None: FieldType(str | None, read_text),
    int | None: FieldType(int | None, read_int),
    int | str | None: FieldType(int | str | None, read_int_or_text),
    int | float | None: FieldType(int | float | None, read_number),
    bool | None: FieldType(bool | int | str | None, read_flag, "flags[{value}]"),
    datetime | None: _MOMENT,
    date | None: FieldType(str | None, read_day, _IF_GIVEN % "read_date", date.isoformat),
    time | None: FieldType(str | None, read_clock, _IF_GIVEN % "read_time", write_time),
    timedelta | None: FieldType(
        str | None, read_length, _IF_GIVEN % "read_duration", write_duration
    ),
}
INLINE_NAMES: dict[str, Any] = {
    "flags": FLAGS,
    "from_iso": from_iso,
    "read_date": read_date,
    "read_datetime": read_datetime,
    "read_duration": read_duration,
    "read_int": read_int,
    "read_time": read_time,
}
"""What the expressions of `FieldType.inline` may use."""
