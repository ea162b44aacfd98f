"""The flow methods of a session: one history walked, its pages, one page, many histories."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING

from pipeflow.arguments import check_int
from pipeflow.owners import Owner, OwnerKind
from pipeflow.walking.plan import LARGEST_PAGE, WalkPlan

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from pipeflow.reader import FlowReader
    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.walking.many import OnError

__all__ = ["FlowMethods"]


class FlowMethods:
    """What `PipedriveSession` can do with the flow endpoints."""

    _reader: FlowReader

    def iter_person_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowUpdate, None]:
        """Yields all that happened to a person."""
        kind = OwnerKind.PERSON
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.updates(Owner(kind, id), plan)

    def iter_person_flow_pages(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_person_flow`, yielding whole pages."""
        kind = OwnerKind.PERSON
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.pages(Owner(kind, id), plan)

    async def get_person_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
    ) -> FlowPage:
        """One page of what happened to a person: one request, 40 tokens."""
        kind = OwnerKind.PERSON
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
        )
        return await self._reader.page(Owner(kind, id), plan)

    def iter_person_flows(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        *,
        concurrency: int = 8,
        on_error: OnError = "collect",
        skip_missing: bool = False,
        on_done: Callable[[int], object] | None = None,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
        """Yields `(person_id, update)` over many persons: each one's in order, all as they come."""
        check_int("concurrency", concurrency, least=1)
        if on_error not in {"collect", "raise"}:
            raise ValueError(f"on_error must be 'collect' or 'raise', not {on_error!r}")
        if not isinstance(ids, Iterable | AsyncIterable):
            raise TypeError(f"ids must be an iterable of ints, not {ids!r}")
        kind = OwnerKind.PERSON
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.updates_of_many(
            ids,
            kind,
            plan,
            concurrency=concurrency,
            on_error=on_error,
            skip_missing=skip_missing,
            on_done=on_done,
        )

    def iter_deal_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowUpdate, None]:
        """Yields all that happened to a deal."""
        kind = OwnerKind.DEAL
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.updates(Owner(kind, id), plan)

    def iter_deal_flow_pages(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_deal_flow`, yielding whole pages."""
        kind = OwnerKind.DEAL
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.pages(Owner(kind, id), plan)

    async def get_deal_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
    ) -> FlowPage:
        """One page of what happened to a deal: one request, 40 tokens."""
        kind = OwnerKind.DEAL
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
        )
        return await self._reader.page(Owner(kind, id), plan)

    def iter_organization_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowUpdate, None]:
        """Yields all that happened to a organization."""
        kind = OwnerKind.ORGANIZATION
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.updates(Owner(kind, id), plan)

    def iter_organization_flow_pages(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
        max_items: int | None = None,
        prefetch: int = 0,
    ) -> AsyncGenerator[FlowPage, None]:
        """As `iter_organization_flow`, yielding whole pages."""
        kind = OwnerKind.ORGANIZATION
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
            max_items=max_items,
            prefetch=prefetch,
        )
        return self._reader.pages(Owner(kind, id), plan)

    async def get_organization_flow(
        self,
        id: int,
        *,
        items: str | Iterable[str] | None = None,
        all_changes: bool = False,
        start: int = 0,
        page_size: int = LARGEST_PAGE,
    ) -> FlowPage:
        """One page of what happened to a organization: one request, 40 tokens."""
        kind = OwnerKind.ORGANIZATION
        plan = WalkPlan(
            items=kind.items_parameter(items),
            all_changes=all_changes,
            start=start,
            page_size=page_size,
        )
        return await self._reader.page(Owner(kind, id), plan)
