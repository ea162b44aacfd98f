"""Records as JSON-ready data, in the API's own formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from pipeflow.codec.related import RELATED_KINDS
from pipeflow.codec.structuring import unstructure
from pipeflow.codec.times import write_datetime
from pipeflow.records import FlowPage, FlowUpdate, RelatedObjects
from pipeflow.records.json_text import read_json

if TYPE_CHECKING:
    from pipeflow.records.json_text import Json
    from pipeflow.records.values import Record

__all__ = ["to_dict"]


@overload
def to_dict(record: FlowUpdate) -> Json: ...
@overload
def to_dict(record: FlowPage | RelatedObjects | Record) -> dict[str, Any]: ...
def to_dict(record: FlowUpdate | FlowPage | RelatedObjects | Record) -> Json:
    """A record as JSON-ready data: dicts, lists, strings, numbers, bools and None.

    - An update becomes the entry it came as, all of it: `object`, `timestamp`, `data` and whatever
      else was there, as a copy. One that was made by hand is written as the API would.
    - A payload, or another record inside an update, is written in the API's own formats and under
      its own names, without the fields that hold nothing; flags become bools.
    - A page becomes an answer: `decode_page` makes an equal page of its JSON.
    """
    match record:
        case FlowUpdate():
            return _entry(record)
        case FlowPage():
            return _answer(record)
        case RelatedObjects():
            return _related(record)
        case _:
            return unstructure(record)


def _entry(update: FlowUpdate) -> Json:
    if update.raw_json is not None:
        return read_json(update.raw_json)
    return {
        "object": update.object,
        "timestamp": None if update.timestamp is None else write_datetime(update.timestamp),
        "data": update.data if isinstance(update.data, dict) else unstructure(update.data),
    }


def _answer(page: FlowPage) -> dict[str, Any]:
    pagination: dict[str, Any] = {"start": page.start}
    if page.page_size is not None:
        pagination["limit"] = page.page_size
    pagination["more_items_in_collection"] = page.more_items
    if page.next_start is not None:
        pagination["next_start"] = page.next_start
    return {
        "success": True,
        "data": [_entry(update) for update in page.updates],
        "additional_data": {"pagination": pagination},
        "related_objects": _related(page.related),
    }


def _related(related: RelatedObjects) -> Json:
    if related.raw_json is not None:
        return read_json(related.raw_json)
    return {
        kind: {str(key): unstructure(record) for key, record in getattr(related, name).items()}
        for kind, (name, _) in RELATED_KINDS.items()
    }
