"""Records as JSON-ready data, in the API's own formats."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, overload

from pipeflow.codec.converting import RecordConverter
from pipeflow.codec.related import RELATED_KINDS
from pipeflow.codec.times import write_datetime
from pipeflow.records import FlowPage, FlowUpdate, RelatedObjects
from pipeflow.records.json_text import read_strict_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from cattrs import BaseConverter

    from pipeflow.records.json_text import Json

__all__ = ["to_dict"]


@overload
def to_dict(record: FlowUpdate, *, converter: BaseConverter | None = None) -> Json: ...
@overload
def to_dict(record: object, *, converter: BaseConverter | None = None) -> dict[str, Any]: ...
def to_dict(record: object, *, converter: BaseConverter | None = None) -> Json:
    """A record as JSON-ready data: dicts, lists, strings, numbers, bools and None.

    - An update becomes the entry it came as, all of it: `object`, `timestamp`, `data` and whatever
      else was there, as a copy. One that was made by hand, or that `attrs.evolve` gave other
      content, is written as the API would.
    - A payload, or another record inside an update, is written in the API's own formats and under
      its own names, without the fields that hold nothing; flags become bools.
    - A page becomes an answer: `decode_page` makes an equal page of its JSON.
    - Another attrs class, such as `pipedrive.stats` or a payload class of your own, becomes a dict
      of its fields.

    A number that JSON cannot write, infinite or none, becomes None; the text as it came is in
    `update.raw_json`.

    Args:
        record: What to write.
        converter: The `cattrs.Converter` with the hooks of your own payload classes.
    """
    write = _converter(converter).unstructure
    match record:
        case FlowUpdate():
            return _entry(record, write)
        case FlowPage():
            return _answer(record, write)
        case RelatedObjects():
            return _related(record, write)
        case _:
            return _finite(write(record))


_converter = functools.lru_cache(maxsize=16)(RecordConverter)


def _entry(update: FlowUpdate, write: Callable[[object], dict[str, Any]]) -> Json:
    if update.raw_json is not None:
        return read_strict_json(update.raw_json)
    return {
        "object": update.object,
        "timestamp": None if update.timestamp is None else write_datetime(update.timestamp),
        "data": _finite(update.data if isinstance(update.data, dict) else write(update.data)),
    }


def _answer(page: FlowPage, write: Callable[[object], dict[str, Any]]) -> dict[str, Any]:
    pagination: dict[str, Any] = {"start": page.start}
    if page.page_size is not None:
        pagination["limit"] = page.page_size
    pagination["more_items_in_collection"] = page.more_items
    if page.next_start is not None:
        pagination["next_start"] = page.next_start
    return {
        "success": True,
        "data": [_entry(update, write) for update in page.updates],
        "additional_data": {"pagination": pagination, **_finite(page.additional_data)},
        "related_objects": _related(page.related, write),
    }


def _related(related: RelatedObjects, write: Callable[[object], dict[str, Any]]) -> Json:
    if related.raw_json is not None:
        return read_strict_json(related.raw_json)
    return {
        kind: {str(key): _finite(write(one)) for key, one in getattr(related, name).items()}
        for kind, (name, _) in RELATED_KINDS.items()
    }


def _finite(value: Json) -> Json:
    """A copy of a value, with None for the numbers that JSON does not know."""
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
