"""JSON text that is kept as it came: cut from its page, and read, when somebody asks for it."""

from __future__ import annotations

import json
import math
from datetime import datetime  # noqa: TC003 - msgspec looks at it
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Json", "JsonText", "PageText", "bounded_int", "read_json", "read_strict_json"]


Json: TypeAlias = Any
"""Any JSON value: dict, list, str, int, float, bool or None."""


class _Entries(msgspec.Struct):
    data: list[msgspec.Raw]


_decode_entries = msgspec.json.Decoder(_Entries).decode


class PageText:
    """The JSON of a page, cut into its entries when the first of them is asked for.

    Most entries never are, and finding their ends takes as long as a quarter of parsing them.
    Threads may ask at once.

    Args:
        text: The body of the answer, a page whose JSON is well-formed; or its entries, where they
            have been cut already.
    """

    __slots__ = ("_text",)

    def __init__(self, text: bytes | Sequence[bytes]) -> None:
        self._text = text

    def entry(self, index: int) -> bytes:
        """The JSON of the entry at this place in the page."""
        text = self._text
        if isinstance(text, bytes):
            # Of two threads that meet here, each cuts and keeps the same entries.
            text = self._text = [bytes(entry) for entry in _decode_entries(text).data]
        return text[index]


class JsonText(msgspec.Struct, eq=False, gc=False):
    """A JSON text and its value; two are equal when their values are.

    A struct, as one is made for each update. It takes part in no cycle, so the garbage collector
    need not know it.

    Attributes:
        source: The text; or the page to cut it from, which stays in memory until then.
        index: The place of the text in that page.
        data: What was read from it: the content of the record that holds it. The text stays with
            a record that has exactly this content. One to which `attrs.evolve` gave another goes
            without, so that what was taken out of it is nowhere in it.
        kind: Of an entry, what was read as its `object`.
        timestamp: Of an entry, what was read as its `timestamp`.
    """

    source: PageText | bytes
    index: int = 0
    data: Any = None
    kind: str = ""
    timestamp: datetime | None = None
    _value: Json = msgspec.UNSET

    @property
    def text(self) -> bytes:
        """The text, in UTF-8."""
        source = self.source
        if isinstance(source, PageText):
            source = self.source = source.entry(self.index)
        return source

    @property
    def value(self) -> Json:
        """The value, read when first asked for."""
        if self._value is msgspec.UNSET:
            self._value = read_json(self.text)
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JsonText):
            return NotImplemented
        return self.text == other.text or self.value == other.value

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # what JSON holds does not hash

    def __reduce__(self) -> tuple[type[JsonText], tuple[Any, ...]]:
        return JsonText, (self.text, 0, self.data, self.kind, self.timestamp)  # and not the page

    def __repr__(self) -> str:
        return f"JsonText({len(self.text)} bytes)"


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


def read_strict_json(text: bytes) -> Json:
    """The same as `read_json` as JSON can write it again: a number beyond all bounds is None."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(
            text.decode(), parse_int=_finite, parse_float=_finite, parse_constant=_finite
        )


def bounded_int(digits: str) -> int | float:
    """The integer that JSON writes with these digits, or infinity where Python reads no more."""
    try:
        return int(digits)
    except ValueError:  # more digits than sys.get_int_max_str_digits() allows
        return float(digits)


def _finite(number: str) -> float | None:
    value = float(number) if not number.lstrip("-").isdecimal() else bounded_int(number)
    return value if isinstance(value, int) or math.isfinite(value) else None
