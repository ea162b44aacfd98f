"""Twins: what msgspec decodes a record into, and what makes the record of it.

A twin is a `msgspec.Struct` with the fields of a record class, whose types are those that JSON
holds (`FieldType.wire`). msgspec fills it while it parses. A function that is generated for the
class, as attrs and cattrs generate theirs, then makes the record: it copies most fields, and reads
times and flags. `docs/decoding-speed.md` tells what was measured.
"""

from __future__ import annotations

import linecache
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from pipeflow.codec.fields import INLINE_NAMES, wire_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TwinField", "draft_of", "make_build", "make_twin"]


@attrs.frozen(eq=False)
class TwinField:
    """A field of a twin.

    Attributes:
        name: Its name in the record.
        wire: Its type.
        default: Its value where JSON has none; `msgspec.NODEFAULT` where JSON must have one.
        inline: The expression for its value in the record; `{value}` stands for its value here,
            and `{name}` for each of the `names`.
        names: What the expression uses.
    """

    name: str
    wire: Any
    default: Any
    inline: str = "{value}"
    names: dict[str, Any] = attrs.field(factory=dict)


def make_twin(record: type, fields: list[TwinField]) -> type[msgspec.Struct]:
    """The struct that msgspec decodes a record of this class into."""
    return msgspec.defstruct(
        f"{record.__name__}Twin",
        [(field.name, field.wire, msgspec.field(default=field.default)) for field in fields],
        rename={field.name: wire_name(field.name) for field in fields},
        kw_only=True,
        gc=False,  # twins live for a moment, and hold no cycles
    )


def make_build(record: type, fields: list[TwinField]) -> Callable[[Any, Any], Any]:
    """Generates the function that makes a record of its twin; a structure hook for cattrs.

    It raises KeyError or ValueError where a field does not hold what it mostly does.
    """
    names = INLINE_NAMES | {"Draft": draft_of(record), "Record": record}
    lines = ["def build(twin, _):", "    draft = Draft()"]
    for field in fields:
        names |= {f"{field.name}_{name}": value for name, value in field.names.items()}
        used = {name: f"{field.name}_{name}" for name in field.names}
        expression = field.inline.format(value=f"twin.{field.name}", **used)
        lines.append(f"    draft.{field.name} = {expression}")
    lines += ["    draft.__class__ = Record", "    return draft"]
    return _compiled("\n".join(lines), f"<pipeflow generated build of {record.__name__}>", names)


def _compiled(source: str, filename: str, names: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """The function of this source, which tracebacks and debuggers can show."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)  # noqa: S102 - made of our annotations alone
    build: Callable[[Any, Any], Any] = names["build"]
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
