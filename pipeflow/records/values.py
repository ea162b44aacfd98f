"""What all records have in common."""

import reprlib
from datetime import date, time, timedelta
from typing import Any

import attrs

__all__ = ["Record"]

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 72


class Record:
    """The base of all records: frozen values; their `repr` shows the fields that hold something.

    Records compare and hash by content. To change one, make another with `attrs.evolve`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(type(self))  # type: ignore[arg-type]
        held = ((field, getattr(self, field.name)) for field in fields)
        shown = ", ".join(
            f"{field.name}={_shown(value)}" for field, value in held if value != field.default
        )
        return f"{type(self).__name__}({shown})"


def _shown(value: object) -> str:
    return str(value) if isinstance(value, date | time | timedelta) else _short.repr(value)
