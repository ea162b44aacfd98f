"""What all records have in common."""

import functools
import reprlib
from collections.abc import Callable
from datetime import date, time, timedelta
from operator import attrgetter
from typing import Any, ClassVar

import attrs

__all__ = ["Record", "read_id"]

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 72


class Record:
    """The base of all records: frozen values; their `repr` shows the fields that hold something.

    Records compare and hash by content. To change one, make another with `attrs.evolve`.
    """

    __slots__ = ()

    kinds: ClassVar[tuple[str, ...]] = ()
    """For a payload class, the values of an update's `object` that it is the `data` of."""

    # attrs would compile both anew for each class, in a tenth of the time that `import pipeflow`
    # takes.

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return _content(self) == _content(other)

    def __hash__(self) -> int:
        return hash(_content(self))

    def __repr__(self) -> str:
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]
        held = ((field, getattr(self, field.name)) for field in fields)
        shown = ", ".join(
            f"{field.name}={_shown(value)}" for field, value in held if value != field.default
        )
        return f"{type(self).__name__}({shown})"


def read_id(value: Any) -> int | str | None:  # noqa: ANN401 - any JSON value
    """The id that a value is, which may be a number as text, or the `false` of PHP for none."""
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text or None
    return value if type(value) is int else None


def _content(record: object) -> object:
    kind: type = type(record)
    return _content_getter(kind)(record)


@functools.cache
def _content_getter(record: type) -> Callable[[object], object]:
    return attrgetter(*(field.name for field in attrs.fields(record)))


def _shown(value: object) -> str:
    return str(value) if isinstance(value, date | time | timedelta) else _short.repr(value)
