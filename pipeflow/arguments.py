"""Arguments that cannot be right, refused with their name and the fix.

The functions that begin with `check_` pass one value; the others make converters and validators of
attrs fields, which take the argument's name from the field.
"""

from __future__ import annotations

import math
import operator
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

__all__ = [
    "check_flag",
    "check_int",
    "check_moment",
    "check_seconds",
    "flag",
    "moment",
    "plain_int",
    "seconds",
    "whole_number",
]


def check_int(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Passes a whole number within its bounds, as an int.

    Whatever has `__index__` is a whole number, such as `numpy.int64`; a bool is not.

    Raises:
        ValueError: It is out of bounds.
        TypeError: It is not a whole number.
    """
    number = plain_int(value)
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if number < least or (most is not None and number > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be {bounds}, not {number!r}")
    return number


def check_seconds(name: str, value: object, *, zero: bool = False) -> None:
    """Passes a number of seconds above zero, or zero where it has a meaning.

    Raises:
        ValueError: It is negative, zero where that has no meaning, or not a number (NaN).
        TypeError: It is not an int or float.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if math.isnan(value) or value < 0 or (value == 0 and not zero):
        least = "0 or more" if zero else "more than 0"
        raise ValueError(f"{name} must be {least} seconds, not {value!r}")


def check_flag(name: str, value: object) -> None:
    """Passes a bool.

    Raises:
        TypeError: It is not a bool.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")


def check_moment(name: str, value: object) -> None:
    """Passes a datetime that knows its time zone.

    Raises:
        ValueError: It has no time zone, so it is not a moment.
        TypeError: It is not a datetime.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime with a time zone, not {value!r}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} must have a time zone, such as datetime(2026, 1, 2, tzinfo=UTC), not {value!r}"
        )


def plain_int(value: Any) -> Any:  # noqa: ANN401 - what is not an int stays what it is
    """Makes a plain int of any kind of int, such as `numpy.int64` or a member of an `IntEnum`.

    Anything else stays as it is, for `check_int` to refuse. It serves as a converter of attrs
    fields.
    """
    if isinstance(value, bool):
        return value
    try:
        return int(operator.index(value))
    except TypeError:
        return value


def whole_number(
    *, least: int, most: int | None = None
) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator for an attrs field that holds a whole number within bounds.

    Args:
        least: The smallest legal value.
        most: The largest legal value; None means there is none.
    """

    def validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        check_int(attribute.name, value, least=least, most=most)

    return validate


def seconds(*, zero: bool = False) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator for an attrs field that holds a number of seconds.

    Args:
        zero: Whether 0 is legal.
    """

    def validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        check_seconds(attribute.name, value, zero=zero)

    return validate


def flag(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A validator for an attrs field that holds a bool."""
    check_flag(attribute.name, value)


def moment(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """A validator for an attrs field that holds a datetime with a time zone."""
    check_moment(attribute.name, value)
