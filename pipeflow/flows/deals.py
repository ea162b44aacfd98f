"""What a session can do with the histories of deals."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING

from pipeflow.flows.keywords import explaining_keywords
from pipeflow.owners import Owner, OwnerKind
from pipeflow.walking.many import ManyPlan
from pipeflow.walking.plan import LARGEST_PAGE, WalkPlan

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import datetime

    from pipeflow.errors import PipeflowError
    from pipeflow.reader import FlowReader
    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.walking.many import OnError

__all__ = ["DealFlows"]

_KIND = OwnerKind.DEAL


class DealFlows:
    """The flow of deals: `GET /deals/{id}/flow`.

    Pipedrive's reference has it as `getDealUpdates`.
    """

    _reader: FlowReader

    @explaining_keywords
    def iter_deal_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        since: datetime | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowUpdate, None]:
        """Yields all that happened to a deal, newest first.

        Activities that are not done come before everything else, as the API has it.

        Nothing is sent before the first update is asked for, and each page only when the loop
        needs it. Every request costs 40 tokens of the daily budget, whatever its size. Pages
        overlap by one update, to notice what moves in the meantime: 400 updates take one request,
        1,000 take three.

        You can leave the loop, or cancel it, at any time: the request under way ends, and the
        session works on. `contextlib.aclosing` makes that happen at once after a `break`.

        Args:
            id: The deal.
            items: The kinds of update to ask for: strings or `FlowItem` values, or one
                comma-separated string. None asks for all.
            all_changes: Whether to include changes of custom fields. If changes seem to be missing,
                this is usually why.
            start: The offset of the first update; `resume_start` of an error goes here.
            page_size: Updates per request, 1 to 500: the API's `limit`.
            max_items: The most updates to yield in total. None means no limit.
            since: An aware moment: yields only what happened then or later, and ends after 100
                older updates in a row. None goes back to the beginning.
            prefetch: The most pages to request ahead of the loop. 0 waits for the loop each time.
                With 2 or more, up to `prefetch` - 1 requests may fall beyond the end.

        Raises:
            ValueError: At the call: an argument is out of bounds.
            TypeError: At the call: an argument is of another type, or not known here.
            PipeflowError: In the loop: a page could not be read. Go on from `resume_start`.
        """
        plan = WalkPlan(
            items=_KIND.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            since=since,
            prefetch=prefetch,
        )
        return self._reader.updates(Owner(_KIND, id), plan)

    @explaining_keywords
    def iter_deal_flow_pages(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        since: datetime | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowPage, None]:
        """Yields all that happened to a deal, page by page.

        The same walk as `iter_deal_flow`, at the same cost. No page repeats an update of
        those before it, and none is empty.

        Args:
            id: The deal.
            items: The kinds of update to ask for: strings or `FlowItem` values, or one
                comma-separated string. None asks for all.
            all_changes: Whether to include changes of custom fields.
            start: The offset of the first update; `next_start` of a page goes here.
            page_size: Updates per request, 1 to 500: the API's `limit`.
            max_items: The most updates to yield in total. None means no limit.
            since: An aware moment: yields only what happened then or later, and ends after 100
                older updates in a row. None goes back to the beginning.
            prefetch: The most pages to request ahead of the loop. 0 waits for the loop each time.

        Raises:
            ValueError: At the call: an argument is out of bounds.
            TypeError: At the call: an argument is of another type, or not known here.
            PipeflowError: In the loop: a page could not be read. Go on from `resume_start`.
        """
        plan = WalkPlan(
            items=_KIND.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            since=since,
            prefetch=prefetch,
        )
        return self._reader.pages(Owner(_KIND, id), plan)

    @explaining_keywords
    async def get_deal_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
    ) -> FlowPage:
        """Reads one page of what happened to a deal, newest first: one request, 40 tokens.

        You can cancel it at any time.

        Args:
            id: The deal.
            items: The kinds of update to ask for: strings or `FlowItem` values, or one
                comma-separated string. None asks for all.
            all_changes: Whether to include changes of custom fields.
            start: The offset of the first update; `next_start` of a page goes here.
            page_size: The most updates of the page, 1 to 500: the API's `limit`.

        Raises:
            ValueError: An argument is out of bounds.
            TypeError: An argument is of another type, or not known here.
            PipeflowError: The page could not be read.
        """
        plan = WalkPlan(
            items=_KIND.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
        )
        return await self._reader.page(Owner(_KIND, id), plan)

    @explaining_keywords
    def iter_deal_flows(
        self,
        ids: Iterable[int | tuple[int, int]] | AsyncIterable[int | tuple[int, int]],
        *,
        concurrency: int = 8,
        on_error: OnError = "collect",
        skip_missing: bool = False,
        on_done: Callable[[int], object] | None = None,
        on_failure: Callable[[PipeflowError], object] | None = None,
        on_missing: Callable[[int], object] | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        since: datetime | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
        """Yields `(id, update)` over many deals, `concurrency` of them at a time.

        Each one's updates come in order; those of different deals as they arrive, at the
        pace of the burst limit. Ids are taken when there is room for them, so a million of them
        need no list. An id that comes again is passed over. While your loop is busy, two pages per
        walk are held at the most. Every deal costs at least one request, 40 tokens.

        Each deal ends in one of three ways, and a callback can tell you: done, failed or
        missing. A callback may be async; the loop waits for it. One that raises stops everything.

        You can leave the loop, or cancel it, at any time: the requests under way end, and the
        session works on. `contextlib.aclosing` makes that happen at once after a `break`.

        Args:
            ids: The deals, from any iterable, sync or async. An `(id, start)` pair begins
                at its own offset. What cannot be an id counts as a failure.
            concurrency: Walks at the same time, 1 or more.
            on_error: `"collect"` continues with the others when one fails, and raises at the end;
                `"raise"` stops at the first failure. A block, the rate limit, the daily budget, 401
                and 402 concern all deals, and always stop everything.
            skip_missing: Whether a deal that does not exist (404, 410) is not a failure.
            on_done: Called with the id of each deal when its last update was consumed.
            on_failure: Called with the error of each deal that failed. It has `owner_id`
                and `resume_start`.
            on_missing: Called with the id of each deal that `skip_missing` passes over.
            items: The kinds of update to ask for: strings or `FlowItem` values, or one
                comma-separated string. None asks for all.
            all_changes: Whether to include changes of custom fields.
            start: The offset of each deal's first update.
            page_size: Updates per request, 1 to 500: the API's `limit`.
            max_items: The most updates of each deal. None means no limit.
            since: An aware moment: yields only what happened then or later, and ends the walk of a
                deal after 100 older updates in a row. None goes back to the beginning.
            prefetch: The most pages of each deal to request ahead.

        Raises:
            ValueError: At the call: an argument is out of bounds.
            TypeError: At the call: an argument is of another type, or not known here.
            FlowsFailed: In the loop: at the end when some failed, or at once when something stopped
                it. It accounts for every id taken, and says how to go on.
        """
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable | AsyncIterable):
            raise TypeError(f"ids must be an iterable of ints, not {ids!r}")
        plan = WalkPlan(
            items=_KIND.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            since=since,
            prefetch=prefetch,
        )
        many = ManyPlan(
            concurrency=concurrency,
            on_error=on_error,
            skip_missing=skip_missing,
            on_done=on_done,
            on_failure=on_failure,
            on_missing=on_missing,
        )
        return self._reader.updates_of_many(ids, _KIND, plan, many)
