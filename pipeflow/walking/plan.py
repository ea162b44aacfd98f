"""What a walk asks for, checked before any request, and the request for one of its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import converters, field, frozen, validators

from pipeflow.arguments import flag, moment, plain_int, whole_number

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["LARGEST_PAGE", "PageRequest", "WalkPlan"]

LARGEST_PAGE = 500
"""Updates. The paging guide's maximum (`core-api-concepts-pagination`)."""


@frozen
class PageRequest:
    """One page to ask for.

    Attributes:
        start: The offset of its first update.
        limit: The most updates it may have.
    """

    start: int
    limit: int


@frozen(kw_only=True)
class WalkPlan:
    """What to ask for, whoever the owner: the filters, where to begin, how much, how far ahead.

    Attributes:
        items: The value of the `items` query parameter; None asks for all kinds of update.
        all_changes: Whether changes of custom fields are among them.
        start: The offset of the first update.
        page_size: Updates per request, 1 to 500.
        max_items: The most updates to yield in total; None means all of them.
        since: The earliest moment of the updates to yield; None means all.
        prefetch: The most pages to have under way ahead of the loop.

    Raises:
        ValueError: A value is out of bounds; the message names it.
        TypeError: A value is of another type.
    """

    items: str | None = None
    all_changes: bool = field(default=False, validator=flag)
    start: int = field(default=0, converter=plain_int, validator=whole_number(least=0))
    page_size: int = field(
        default=LARGEST_PAGE,
        converter=plain_int,
        validator=whole_number(least=1, most=LARGEST_PAGE),
    )
    max_items: int | None = field(
        default=None,
        converter=converters.optional(plain_int),
        validator=validators.optional(whole_number(least=0)),
    )
    since: datetime | None = field(default=None, validator=validators.optional(moment))
    prefetch: int = field(default=0, converter=plain_int, validator=whole_number(least=0))

    def parameters(self, request: PageRequest) -> dict[str, str]:
        """The query parameters that ask for one page."""
        parameters = {"start": str(request.start), "limit": str(request.limit)}
        if self.all_changes:
            parameters["all_changes"] = "1"
        if self.items is not None:
            parameters["items"] = self.items
        return parameters
