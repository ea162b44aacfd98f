"""JSON text that is kept as it came and read when somebody asks for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Json", "KeptPage", "bounded_int", "read_json"]


Json: TypeAlias = Any
"""Any JSON value: dict, list, str, int, float, bool or None."""


class _Entries(msgspec.Struct):
    data: list[msgspec.Raw]


_decode_entries = msgspec.json.Decoder(_Entries).decode


class KeptPage:
    """The JSON of a page, cut into its entries when the first of them is asked for.

    Most entries never are, and finding their ends takes as long as a quarter of parsing them.

    Args:
        body: The body of the answer, a page whose JSON is well-formed.
        entries: The JSON of each entry, where that is known.
    """

    __slots__ = ("_body", "_entries")

    def __init__(self, body: bytes, entries: Sequence[bytes] | None = None) -> None:
        self._body = body
        self._entries = entries

    def entry(self, index: int) -> bytes:
        """The JSON of the entry at this place in the page."""
        if self._entries is None:
            self._entries = [bytes(entry) for entry in _decode_entries(self._body).data]
            self._body = b""
        return self._entries[index]


def read_json(text: bytes) -> Json:
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
