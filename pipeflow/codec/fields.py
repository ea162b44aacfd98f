"""How each type that a record's field can have stands in JSON.

The annotations of the records are the only declaration; this table says what they mean. Both ways
of decoding are made from it: cattrs calls `read` with whatever JSON holds; the shortcut has
msgspec check that JSON holds the type `wire`, and then only does what `shortcut` says.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import attrs

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
from pipeflow.records.sentences import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.records.json_text import Json

__all__ = [
    "SHORTCUT_NAMES",
    "TIME",
    "FieldType",
    "field_type",
    "inner_record",
    "mismatch",
    "wire_name",
]


def _as_it_is(value: Json) -> Json:
    return value


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
    if field.name == "id":
        return _ID
    if record is MailMessage and field.type == datetime | None:
        return _ISO_TIME
    return _FIELD_TYPES[field.type]


def mismatch(expected: str, value: object) -> ValueError:
    """The error for `value` where `expected` should be; it tells a short value only."""
    match value:
        case None:
            got = "null"
        case bool():
            got = str(value).lower()
        case dict():
            got = "an object"
        case list():
            got = "an array"
        case _:
            got = shorten(repr(value), 40)
    return ValueError(f"expected {expected}, got {got}")


def _instance_of(expected: str, *types: type) -> Callable[[Any], Any]:
    def read(value: Json) -> Json:
        if value.__class__ in types:  # and so no bool for an int
            return value
        raise mismatch(expected, value)

    return read


def _time_text(expected: str, read_text: Callable[[str], Any]) -> Callable[[Any], Any]:
    def read(value: Json) -> Json:
        if value is None or value == "":
            return None
        try:
            return read_text(value)
        except (TypeError, ValueError):
            raise mismatch(expected, value) from None

    return read


def _read_flag(value: Json) -> bool | None:
    try:
        return _FLAGS[value]
    except (KeyError, TypeError):
        raise mismatch("a flag", value) from None


def _read_id(value: Json) -> int | None:
    """An id, which has been seen as `false` and, in the published example, as `"376892,"`."""
    if type(value) is str:
        digits = value.removesuffix(",")
        if digits.isdecimal() and digits.isascii() and len(digits) < 20:
            return int(digits)
    elif value is None or value is False:
        return None
    elif type(value) is int:
        return value
    raise mismatch("an id", value)


def _read_array(value: Json) -> tuple[Any, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(value)
    raise mismatch("an array", value)


_FLAGS = {None: None, False: False, True: True, "0": False, "1": True}  # 0 and 1 equal the bools
_IF_GIVEN = "(%s(text) if (text := {}) else None)"
TIME = FieldType(
    wire=str | None,
    read=_time_text("a time such as 2020-08-03 11:25:21", read_datetime),
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
    read=_read_id,
    shortcut="(id if type(id := {}) is int else read_id(id))",
)
_FIELD_TYPES: dict[Any, FieldType] = {
    Any: FieldType(Any, _as_it_is),
    tuple[Any, ...]: FieldType(list[Any] | None, _read_array, "tuple({} or ())", list),
    str: FieldType(str, _instance_of("a string", str)),
    str | None: FieldType(str | None, _instance_of("a string", str, type(None))),
    int | None: FieldType(int | None, _instance_of("an integer", int, type(None))),
    int | str | None: FieldType(
        int | str | None, _instance_of("an integer or a string", int, str, type(None))
    ),
    int | float | None: FieldType(
        int | float | None, _instance_of("a number", int, float, type(None))
    ),
    bool | None: FieldType(bool | int | str | None, _read_flag, "flags[{}]"),
    datetime | None: TIME,
    date | None: FieldType(
        str | None,
        _time_text("a day such as 2020-06-09", read_date),
        _IF_GIVEN % "read_date",
        date.isoformat,
    ),
    time | None: FieldType(
        str | None,
        _time_text("a time of day such as 10:00", read_time),
        _IF_GIVEN % "read_time",
        write_time,
    ),
    timedelta | None: FieldType(
        str | None,
        _time_text("a duration such as 01:00", read_duration),
        _IF_GIVEN % "read_duration",
        write_duration,
    ),
}
SHORTCUT_NAMES: dict[str, Any] = {
    "from_iso": from_iso,
    "flags": _FLAGS,
    "read_date": read_date,
    "read_datetime": read_datetime,
    "read_duration": read_duration,
    "read_id": _read_id,
    "read_time": read_time,
}
"""What the expressions of `FieldType.shortcut` can use."""
