"""What to ask for: one history, its filters, and how much of it. Checked before any request."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from attrs import frozen

from pipeflow.arguments import check_int
from pipeflow.items import items_parameter
from pipeflow.paging import LARGEST_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from yarl import URL

    from pipeflow.addresses import FlowOwner

__all__ = ["FlowOptions", "FlowQuery", "WalkOptions"]


class FlowOptions(TypedDict, total=False):
    """The keyword arguments that every flow method takes.

    Attributes:
        items: Which kinds of update: an iterable of strings or `FlowItem`, or one comma-separated
            string. None, the default, asks for all of them.
        all_changes: Whether changes of custom fields are among them. The API leaves them out by
            default, and so does this.
        start: The offset of the first update, default 0.
        page_size: Updates per request, 1 to 500, default 500: a request costs 40 tokens whatever
            its size.
    """

    items: str | Iterable[str] | None
    all_changes: bool
    start: int
    page_size: int


class WalkOptions(FlowOptions, total=False):
    """The keyword arguments of the methods that walk from page to page.

    Attributes:
        max_items: The most updates to yield in total. None, the default, is all of them.
        prefetch: Pages to have under way ahead of the loop, at the most. 0, the default, sends a
            request only when the loop needs it. 1 asks for the next page while the loop is busy
            with this one, and costs nothing more. Above that, offsets are foreseen, and up to
            `prefetch` - 1 requests can fall beyond the end of the history; none does for a
            history of one page.
        detect_removals: Whether to notice that updates were removed while the walk went on. They
            shift the others up, past an offset that is asked for next. With it each page repeats
            the last update of the page before, and when that is not there, the walk goes back, at
            the price of one request. Pages of 500 then bring 499 new updates; smaller pages
            cost nothing more. False, the default, does not look.
    """

    max_items: int | None
    prefetch: int
    detect_removals: bool


@frozen(eq=False)
class FlowQuery:
    """One question to a flow endpoint, whose every part is known to be legal."""

    owner: FlowOwner
    id: int
    items: str | None
    all_changes: bool
    start: int
    page_size: int
    max_items: int | None
    prefetch: int
    detect_removals: bool

    @classmethod
    def checked(
        cls,
        owner: FlowOwner,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
        detect_removals: bool = False,
    ) -> FlowQuery:
        """The query of these arguments.

        Raises:
            ValueError: An argument is out of bounds; the message names it and the fix.
            TypeError: An argument is of another type.
        """
        check_int(f"the {owner.noun} id", id, least=1)
        for name, flag in (("all_changes", all_changes), ("detect_removals", detect_removals)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} must be True or False, not {flag!r}")
        check_int("start", start, least=0)
        check_int("page_size", page_size, least=1, most=LARGEST_PAGE)
        if max_items is not None:
            check_int("max_items", max_items, least=0)
        check_int("prefetch", prefetch, least=0)
        wanted = items_parameter(items)
        return cls(
            owner=owner,
            id=id,
            items=wanted,
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
            detect_removals=detect_removals,
        )

    def url(self, base_url: URL) -> URL:
        """The address of the history."""
        return self.owner.flow_url(base_url, self.id)

    def parameters(self, start: int, limit: int) -> dict[str, str]:
        """The query parameters of one page."""
        parameters = {"start": str(start), "limit": str(limit)}
        if self.all_changes:
            parameters["all_changes"] = "1"
        if self.items is not None:
            parameters["items"] = self.items
        return parameters
