"""From bytes straight to records, for pages that are as they should be.

Untuned cattrs spends most of its time on looking into dicts that the JSON parser has built. Here
msgspec decodes a whole page into *twins*: a `msgspec.Struct` for each class of records, with the
same fields, whose types are those that JSON holds. A generated function, like those that cattrs
makes, then turns a twin into its record: most fields are copied, times and flags are read.

What the shortcut accepts it decodes exactly as `structuring` does. Whatever it refuses is decoded
there, so it need not know every oddity, and it need not say what is wrong.
`docs/decoding-speed.md` tells what was measured.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from pipeflow.codec.fields import SHORTCUT_NAMES, field_type, inner_record, wire_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["REFUSALS", "build_from_twin", "draft_of", "generate_build", "twin_of"]

REFUSALS = (msgspec.DecodeError, KeyError, ValueError)
"""What the shortcut raises for a record that it leaves to `structuring`."""


@cache
def twin_of(record: type) -> type[msgspec.Struct]:
    """The struct that msgspec decodes a record of this class into."""
    fields = attrs.fields(record)
    return msgspec.defstruct(
        f"{record.__name__}Twin",
        [_wire_field(record, field) for field in fields],
        rename={field.name: wire_name(field.name) for field in fields},
        kw_only=True,
        gc=False,  # twins live for a moment, and hold no cycles
    )


@cache
def build_from_twin(record: type) -> Callable[[Any], Any]:
    """The function that makes a record of its twin; it raises one of the `REFUSALS`."""
    names: dict[str, Any] = {}
    expressions = {}
    for field in attrs.fields(record):
        value = f"twin.{field.name}"
        inner = inner_record(field.type)
        if inner is None:
            expression = field_type(record, field).shortcut.format(value)
        elif field.default is None:
            twin, build, other = f"{field.name}_twin", f"build_{field.name}", f"no_{field.name}"
            names |= {twin: twin_of(inner), build: build_from_twin(inner), other: _empty(inner)}
            expression = f"({build}(it) if type(it := {value}) is {twin} else {other}(it))"
        else:
            names[f"read_{field.name}_list"] = _records_reader(inner)
            expression = f"read_{field.name}_list(bytes({value}))"
        expressions[field.name] = expression
    return generate_build(record, "twin", expressions, names)


def generate_build(
    record: type, parameters: str, expressions: dict[str, str], names: dict[str, Any]
) -> Callable[..., Any]:
    """Makes the function that fills a draft of the record and returns the record.

    Args:
        record: The frozen class.
        parameters: The parameters of the function.
        expressions: A Python expression for each field.
        names: What the expressions use, beside the `SHORTCUT_NAMES`.
    """
    lines = [
        f"def build({parameters}):",
        "    draft = Draft()",
        *(f"    draft.{name} = {expression}" for name, expression in expressions.items()),
        "    draft.__class__ = Record",
        "    return draft",
    ]
    names = SHORTCUT_NAMES | names | {"Draft": draft_of(record), "Record": record}
    exec("\n".join(lines), names)  # noqa: S102 - made of our own annotations alone
    build: Callable[..., Any] = names["build"]
    return build


@cache
def draft_of(record: type) -> type[Any]:
    """A subclass of a frozen class whose attributes can be set, with which a record is filled.

    The `__init__` of a frozen class with 67 fields takes some 6 µs, as it must go around its own
    `__setattr__`; setting them on a draft takes 1 µs. A draft has the layout of its class, so when
    it is filled, `draft.__class__ = record` makes it a record like any other.
    """
    return type(
        f"{record.__name__}Draft",
        (record,),
        {
            "__slots__": (),
            "__init__": object.__init__,
            "__setattr__": object.__setattr__,
            "__delattr__": object.__delattr__,  # CPython is fast only if both are object's own
        },
    )


def _wire_field(record: type, field: attrs.Attribute[Any]) -> tuple[Any, ...]:
    inner = inner_record(field.type)
    if inner is None:
        wire = field_type(record, field).wire
        return (field.name, wire) if field.default is attrs.NOTHING else (field.name, wire, None)
    if field.default is None:
        return (field.name, twin_of(inner) | list[Any] | None, None)
    return (field.name, msgspec.Raw, msgspec.Raw(b"null"))


def _empty(record: type) -> Callable[[Any], Any]:
    """Reads what can stand for a record beside an object: null, and the `[]` of PHP."""

    def read_empty(value: object) -> object:
        if value:
            raise ValueError(value)
        return record() if value == [] else None

    return read_empty


def _records_reader(record: type) -> Callable[[bytes], tuple[Any, ...]]:
    """Reads the JSON of an array of records.

    It remembers the latest arrays, as the same persons take part in a history again and again.
    """
    build = build_from_twin(record)
    decode = msgspec.json.Decoder(list[twin_of(record)] | None).decode  # type: ignore[misc]

    @lru_cache(maxsize=256)
    def read_records(text: bytes) -> tuple[Any, ...]:
        return tuple([build(twin) for twin in decode(text) or ()])

    return read_records
