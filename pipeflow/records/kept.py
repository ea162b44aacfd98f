"""JSON text that is kept as it came and read when somebody asks for it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

__all__ = ["bounded_int", "read_json"]


def read_json(text: bytes) -> Any:
    """The value of JSON text that has been found to be well-formed UTF-8.

    What msgspec refuses is read by the standard library: half of a surrogate pair, which comes
    from texts cut off by UTF-16 units, stays in the `str`, and a number beyond all bounds becomes
    infinite.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text.decode(), parse_int=bounded_int)


def bounded_int(digits: str) -> int | float:
    """The integer that JSON writes with these digits, or infinity where Python reads no more."""
    try:
        return int(digits)
    except ValueError:  # more digits than sys.get_int_max_str_digits() allows
        return float(digits)
