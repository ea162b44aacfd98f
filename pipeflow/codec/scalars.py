"""Texts, numbers, flags and times in classes of the user's, as Pipedrive writes them.

cattrs has no hooks for times, and calls `int`, `bool` and `str` on whatever it finds, so that
`"0"` is True and null the text `None`. In a field of the user's that is declared as one of these
types, or as one of them or None, values are read as in our own records.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from cattrs import BaseConverter, Converter, StructureHandlerNotFoundError

from pipeflow.codec.fields import FIELD_TYPES
from pipeflow.codec.readers import required
from pipeflow.codec.times import write_datetime, write_duration, write_time

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converter_for_pipedrive", "ignoring_type"]

_EXPECTED: dict[type, str] = {
    str: "a string",
    bool: "a flag",
    int: "an integer",
    float: "a number",
    datetime: "a time such as 2020-08-03 11:25:21",
    date: "a day such as 2020-06-09",
    time: "a time of day such as 10:00",
    timedelta: "a duration such as 01:00",
}
_WRITERS: dict[type, Callable[[Any], Any]] = {
    date: date.isoformat,
    datetime: write_datetime,
    time: write_time,
    timedelta: write_duration,
}


def converter_for_pipedrive(converter: BaseConverter | None) -> BaseConverter:
    """A converter with hooks for these types, beside the hooks of the user's, which go first.

    Args:
        converter: The user's, which is copied: what is registered there later does not count.
    """
    made = Converter() if converter is None else _copied(converter)
    plain = Converter()
    hooks: dict[Any, Callable[[Any, Any], Any]] = {}
    for declared, expected in _EXPECTED.items():
        if _structure_hook(made, declared) != _structure_hook(plain, declared):
            continue
        optional: Any = declared | None
        read = FIELD_TYPES[int | float | None if declared is float else optional].read
        if declared is float:
            read = _as_float(read)
        hooks[declared] = ignoring_type(required(read, expected))
        hooks[optional] = ignoring_type(read)
    for union in (int | str | None, int | float | None):
        hooks[union] = ignoring_type(FIELD_TYPES[union].read)
    for declared, hook in hooks.items():
        if declared not in _unions(made):
            made.register_structure_hook(declared, hook)
    writers = {
        written: write
        for written, write in _WRITERS.items()
        if _unstructure_hook(made, written) == _unstructure_hook(plain, written)
    }
    for written, write in writers.items():
        made.register_unstructure_hook(written, write)
    return made


def ignoring_type(read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A reader as a structure hook of cattrs."""
    return lambda value, _: read(value)


def _as_float(read: Callable[[Any], Any]) -> Callable[[Any], float | None]:
    def read_float(value: object) -> float | None:
        number = read(value)
        return None if number is None else float(number)

    return read_float


def _copied(converter: BaseConverter) -> BaseConverter:
    made = converter.copy()
    _unions(made).update(_unions(converter))  # which `copy` forgets, up to cattrs 26.2
    return made


def _unions(converter: BaseConverter) -> dict[Any, Any]:
    registered: dict[Any, Any] = converter._union_struct_registry  # noqa: SLF001 - see above
    return registered


def _structure_hook(converter: BaseConverter, declared: type) -> object:
    try:
        hook = converter.get_structure_hook(declared)
    except StructureHandlerNotFoundError:
        return None
    return getattr(hook, "__func__", hook)  # without the converter that it is bound to


def _unstructure_hook(converter: BaseConverter, declared: type) -> object:
    hook = converter.get_unstructure_hook(declared)
    return getattr(hook, "__func__", hook)
