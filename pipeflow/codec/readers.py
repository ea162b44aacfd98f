"""What a JSON value means as the value of a field.

Each reader takes any JSON value. It returns what the value means where it can mean one thing only
(`"31"` is the id 31), and None where it means that there is nothing: null, `""`, and the `false`
of PHP. It raises ValueError for everything else.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pipeflow.codec.times import read_date, read_datetime, read_duration, read_time
from pipeflow.records.plain_text import shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, time, timedelta

    from pipeflow.records.json_text import Json

__all__ = [
    "FLAGS",
    "means_nothing",
    "mismatch",
    "read_array",
    "read_clock",
    "read_day",
    "read_flag",
    "read_int",
    "read_int_or_text",
    "read_length",
    "read_moment",
    "read_number",
    "read_text",
    "required",
]

ValueT = TypeVar("ValueT")

_LONGEST_INT = 19
"""Digits of the longest integer that is read from a text: those of 64 bits."""

_LONGEST_FLOAT = 30
_FLOAT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

FLAGS: dict[str | bool | None, bool | None] = {
    None: None,
    "": None,
    "0": False,
    "1": True,
    "false": False,
    "true": True,
} | {
    False: False,  # and 0
    True: True,  # and 1
}
"""What stands for a flag."""


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


def means_nothing(value: Json) -> bool:
    """Whether an object or an array that holds nothing can be written like this in PHP."""
    return value is None or value is False or value in ("", [], {})


def required(read: Callable[[Json], ValueT | None], expected: str) -> Callable[[Json], ValueT]:
    """A reader for a field that cannot hold None."""

    def read_required(value: Json) -> ValueT:
        found = read(value)
        if found is None:
            raise mismatch(expected, value)
        return found

    return read_required


def read_text(value: Json) -> str | None:
    """A text; a number is its digits."""
    if isinstance(value, str):
        return value
    if value is None or value is False:
        return None
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return str(value)
    raise mismatch("a string", value)


def read_int(value: Json) -> int | None:
    """An integer, also as text or as a float without a fraction.

    The published example of an activity writes an id as `"376892,"`.
    """
    if type(value) is int:
        return value
    if value is None or value is False or value == "":
        return None
    if isinstance(value, str):
        number = _int_of(value.removesuffix(","))
        if number is not None:
            return number
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise mismatch("an integer", value)


def read_int_or_text(value: Json) -> int | str | None:
    """An id of either type, as it is."""
    if type(value) is int or isinstance(value, str):
        return value
    if value is None or value is False:
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise mismatch("an integer or a string", value)


def read_number(value: Json) -> float | None:
    """A number, also as text."""
    if type(value) in {int, float}:
        return value  # type: ignore[no-any-return]
    if value is None or value is False or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        for read in (_int_of, _float_of):
            number = read(text)
            if number is not None:
                return number
    raise mismatch("a number", value)


def read_flag(value: Json) -> bool | None:
    """A flag: `true`, `1`, `"1"` and their opposites."""
    try:
        return FLAGS[value]
    except (KeyError, TypeError):
        raise mismatch("a flag", value) from None


def read_array(value: Json) -> tuple[Any, ...]:
    """An array as a tuple; whatever means nothing is an empty one."""
    if isinstance(value, list):
        return tuple(value)
    if means_nothing(value):
        return ()
    raise mismatch("an array", value)


def read_moment(value: Json) -> datetime | None:
    """A time, in UTC."""
    return _read(read_datetime, value, "a time such as 2020-08-03 11:25:21")


def read_day(value: Json) -> date | None:
    """A day."""
    return _read(read_date, value, "a day such as 2020-06-09")


def read_clock(value: Json) -> time | None:
    """A time of day, in UTC."""
    return _read(read_time, value, "a time of day such as 10:00")


def read_length(value: Json) -> timedelta | None:
    """A duration."""
    return _read(read_duration, value, "a duration such as 01:00")


def _read(read: Callable[[str], ValueT | None], value: Json, expected: str) -> ValueT | None:
    if value is None or value is False or value == "":
        return None
    if isinstance(value, str):
        with suppress(ValueError):
            return read(value)
    raise mismatch(expected, value)


def _int_of(text: str) -> int | None:
    digits = text if text.isdecimal() else text.strip().removeprefix("-")
    if digits.isdecimal() and digits.isascii() and len(digits) <= _LONGEST_INT:
        return int(text)
    return None


def _float_of(text: str) -> float | None:
    if len(text) > _LONGEST_FLOAT or not _FLOAT.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
