"""Arguments that cannot be right, refused with their name and the fix."""

from __future__ import annotations

import math

__all__ = ["check_int", "check_seconds"]


def check_int(name: str, value: object, *, least: int, most: int | None = None) -> None:
    """Passes a whole number within its bounds.

    Raises:
        ValueError: It is out of bounds.
        TypeError: It is no int.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < least or (most is not None and value > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be {bounds}, not {value!r}")


def check_seconds(name: str, value: object, *, zero: bool = False) -> None:
    """Passes a number of seconds above zero, or zero where it has a meaning.

    Raises:
        ValueError: It is negative, zero where that has none, or not a number (NaN).
        TypeError: It is no int or float.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if math.isnan(value) or value < 0 or (value == 0 and not zero):
        least = "0 or more" if zero else "more than 0"
        raise ValueError(f"{name} must be {least} seconds, not {value!r}")
