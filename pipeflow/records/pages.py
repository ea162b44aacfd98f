"""A page: the updates that one answer holds, and where the next one begins."""

from typing import Any

import attrs

from pipeflow.records.related import RelatedObjects
from pipeflow.records.updates import FlowUpdate
from pipeflow.records.values import Record

__all__ = ["FlowPage"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FlowPage(Record):
    """One page of a history.

    Attributes:
        updates: The updates in the order of the answer: newest first, except that activities not
            yet done come before all others.
        start: The offset of the first of them.
        page_size: The page size that the answer names; a server may clamp the one asked for, or
            name none.
        more_items: Whether the collection goes on after this page.
        next_start: The offset of the next page; None when this is the last.
        related: The users, persons, organizations and deals that the updates name by id.
        additional_data: What else the answer says of the page, beside the fields of paging, such
            as `filesCountByDay`.
    """

    updates: tuple[FlowUpdate, ...] = ()
    start: int = 0
    page_size: int | None = None
    more_items: bool = False
    next_start: int | None = None
    related: RelatedObjects = attrs.field(factory=RelatedObjects)
    additional_data: dict[str, Any] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        return (
            f"FlowPage({len(self.updates)} updates, start={self.start}, "
            f"page_size={self.page_size}, next_start={self.next_start})"
        )
