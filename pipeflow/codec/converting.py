"""Records from JSON values and back, by one cattrs converter.

Each class has one structure hook. That of a record of ours takes either a twin (see `twins`), which
msgspec has decoded already, or a dict. From a twin it makes the record fast, or raises. A dict
takes longer, but any value that has a meaning is read, and an error says where and why. Both give
the same record.
"""

from __future__ import annotations

import functools
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec
from cattrs import ClassValidationError, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from pipeflow import records
from pipeflow.codec.fields import field_type, inner_record, wire_name
from pipeflow.codec.readers import mismatch, read_array
from pipeflow.codec.scalars import converter_for_pipedrive, ignoring_type
from pipeflow.codec.twins import TwinField, make_build, make_twin
from pipeflow.records.plain_text import shorten
from pipeflow.records.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import BaseConverter

    from pipeflow.records.json_text import Json

__all__ = ["RecordConverter", "ShapeError"]

RecordT = TypeVar("RecordT")

_OUR_CLASSES = {name: vars(records)[name] for name in records.__all__}
_LONGEST_REASON = 200
_LONGEST_REPEATED = 1000
"""Bytes of the longest array of records that is remembered: not, say, a newsletter's receivers."""
_MOST_REPEATED = 256
"""How many arrays of each field are remembered: the same persons take part again and again."""


class ShapeError(Exception):
    """A value breaks the shape of its record.

    Attributes:
        path: Where in the answer, such as `$.data[3].data.due_date`.
        reason: Why.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class RecordConverter:
    """A cattrs converter that knows how Pipedrive writes records.

    Args:
        converter: One with hooks of the user's, which is copied. It structures what it has hooks
            for; only the fields of our own classes are always read as `FIELD_TYPES` says.
    """

    def __init__(self, converter: BaseConverter | None = None) -> None:
        self._converter = converter_for_pipedrive(converter)
        self._twins: dict[Any, type[msgspec.Struct]] = {}
        self._builds: dict[type, Callable[[Any, Any], Any]] = {}
        self._converter.register_structure_hook_factory(
            lambda declared: declared in self._builds, lambda twin: self._builds[twin]
        )
        self._converter.register_structure_hook_factory(_is_record, self._record_hook)
        self._converter.register_unstructure_hook_factory(_is_record, self._unstructures)

    def hook(self, record: type) -> Callable[[Any, Any], Any]:
        """The structure hook of a class: `hook(value, record)`."""
        return self._converter.get_structure_hook(record)

    def twin(self, record: type) -> Any:  # noqa: ANN401 - a struct type is no type to msgspec's own
        """What msgspec is to decode for this class; None where its hook takes dicts only."""
        return self._twins.get(self.hook(record))

    def structure(self, value: Json, record: type[RecordT], path: str) -> RecordT:
        """The record that the JSON value at `path` holds.

        Raises:
            ShapeError: The value breaks the record's shape; the first place where it does.
        """
        try:
            return self._converter.structure(value, record)
        except Exception as error:  # noqa: BLE001 - a hook of the user's may raise anything
            inner_path, reason = _first_reason(error)
        raise ShapeError(path + inner_path, reason)

    def unstructure(self, record: object) -> dict[str, Any]:
        """A record as JSON values in the API's own formats, without what holds nothing."""
        values: dict[str, Any] = self._converter.unstructure(record)
        return values

    def _record_hook(self, record: type) -> Callable[[Any, Any], Any]:
        structure_dict = functools.cache(lambda: self._structures_dict(record))

        def structure_record(value: Json, _: object) -> object:
            if value.__class__ is twin:
                return self.hook(twin)(value, twin)
            if value == []:  # PHP writes an empty object like this
                value = {}
            if not isinstance(value, dict):
                raise mismatch("an object", value)
            return structure_dict()(value, record)

        twin: Any = None
        if _OUR_CLASSES.get(record.__name__) is record:
            fields = [self._twin_field(record, field) for field in attrs.fields(record)]
            twin = self._twins[structure_record] = make_twin(record, fields)
            self._builds[twin] = make_build(record, fields)
        return structure_record

    def _structures_dict(self, record: type) -> Callable[[Any, Any], Any]:
        """Made when first needed, which for most programs is never: twins do without it."""
        overrides: Any = {
            field.name: override(
                rename=wire_name(field.name), struct_hook=self._reads(record, field)
            )
            for field in attrs.fields(record)
        }
        return make_dict_structure_fn(
            record,
            self._converter,
            _cattrs_forbid_extra_keys=False,
            _cattrs_detailed_validation=True,
            **overrides,
        )

    def _reads(self, record: type, field: attrs.Attribute[Any]) -> Callable[[Any, Any], Any] | None:
        inner = inner_record(field.type)
        if inner is None:
            known = field_type(record, field)
            return None if known is None else ignoring_type(known.read)
        if not issubclass(inner, Record):
            return None
        if field.default is None:
            return ignoring_type(self._record_reader(inner))
        return ignoring_type(self._records_reader(inner))

    def _record_reader(self, inner: type) -> Callable[[Json], Any]:
        def read_record(value: Json) -> object:
            if value is None or value is False or value == "":
                return None
            return self.hook(inner)(value, inner)

        return read_record

    def _records_reader(self, inner: type) -> Callable[[Json], tuple[Any, ...]]:
        annotation: Any = list[inner | None]  # type: ignore[valid-type]

        def read_records(value: Json) -> tuple[Any, ...]:
            if not isinstance(value, list):
                return read_array(value)
            structured = self._converter.structure(value, annotation)
            return tuple([one for one in structured if one is not None])

        return read_records

    def _twin_field(self, record: type, field: attrs.Attribute[Any]) -> TwinField:
        inner = inner_record(field.type)
        if inner is None:
            row: Any = field_type(record, field)
            default = msgspec.NODEFAULT if field.default is attrs.NOTHING else None
            return TwinField(field.name, row.wire, default, row.inline)
        is_list, twin = field.default is not None, self.twin(inner)
        reads: Any = self._records_reader(inner) if is_list else self._record_reader(inner)
        if twin is None:
            return TwinField(field.name, Any, None, "{read}({value})", {"read": reads})
        if not is_list:
            inline = (
                "({build}(it, {twin}) if type(it := {value}) is {twin}"
                " else None if it is None else {read}(it))"
            )
            names = {"build": self.hook(twin), "twin": twin, "read": reads}
            return TwinField(field.name, twin | list[Any] | None, None, inline, names)
        read = _array_reader(twin, self.hook(twin))
        names = {"read": read, "remembered": lru_cache(maxsize=_MOST_REPEATED)(read)}
        inline = (
            "({remembered} if len(it := bytes({value}))"
            f" <= {_LONGEST_REPEATED} else {{read}})(it)"
        )
        return TwinField(field.name, msgspec.Raw, msgspec.Raw(b"null"), inline, names)

    def _unstructures(self, record: type) -> Callable[[Any], dict[str, Any]]:
        overrides: dict[str, Any] = {
            field.name: override(
                rename=wire_name(field.name), unstruct_hook=self._writes(record, field)
            )
            for field in attrs.fields(record)
        }
        return make_dict_unstructure_fn(
            record, self._converter, _cattrs_omit_if_default=True, **overrides
        )

    def _writes(self, record: type, field: attrs.Attribute[Any]) -> Callable[[Any], Any] | None:
        inner = inner_record(field.type)
        if inner is None:
            known = field_type(record, field)
            return None if known is None else known.write
        if field.default is None:
            return self._converter.unstructure
        return lambda values: [self._converter.unstructure(value) for value in values]


def _is_record(declared: Any) -> bool:  # noqa: ANN401 - whatever cattrs looks up
    return isinstance(declared, type) and issubclass(declared, Record)


def _array_reader(
    twin: type[msgspec.Struct], build: Callable[[Any, Any], Any]
) -> Callable[[bytes], tuple[Any, ...]]:
    """Reads the JSON of an array of records."""
    decode = msgspec.json.Decoder(list[twin] | None).decode  # type: ignore[valid-type]

    def read_records(text: bytes) -> tuple[Any, ...]:
        return tuple([build(one, twin) for one in decode(text) or ()])

    return read_records


def _first_reason(error: BaseException) -> tuple[str, str]:
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, bare = error.group_exceptions()
            if not noted:  # what a class of the user's raises itself
                return _first_reason(bare[0])
            # Each has a note of the field or the index where it arose.
            inner, note = noted[0]
            path, reason = _first_reason(inner)
            if isinstance(note, IterableValidationNote):
                return f"[{note.index}]{path}", reason
            return f".{wire_name(note.name)}{path}", reason
        case KeyError():
            return "", "is missing"
        case ValueError() if str(error).startswith("expected "):
            return "", str(error)
        case _:
            return "", shorten(f"{type(error).__name__}: {error}", _LONGEST_REASON)
