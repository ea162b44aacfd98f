"""Made-up persons to walk over, who fail where they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from pipeflow.errors import (
    AuthenticationError,
    BlockedError,
    DailyBudgetExhaustedError,
    PaymentRequiredError,
    PipeflowError,
    RateLimitError,
    ServerError,
)
from pipeflow.owners import OwnerKind
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.many import ManyPlan, walk_many
from pipeflow.walking.plan import WalkPlan

if TYPE_CHECKING:
    from pipeflow.owners import Owner
    from tests.conftest import Wrong

Fail = Callable[[int, int], BaseException | None]


class People:
    """Serves `pages` pages of two updates for each person, and notes who is under way."""

    def __init__(self, *, pages: int = 3, fail: Fail = lambda person_id, start: None) -> None:
        self.pages = pages
        self.fail = fail
        self.begun: list[int] = []
        self.under_way = 0
        self.most_under_way = 0
        self.pages_served = 0

    async def walk(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
        self.begun.append(owner.id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        end = 2 * self.pages
        if plan.max_items is not None:
            end = min(end, plan.start + plan.max_items)
        try:
            for start in range(plan.start, end, 2):
                for _ in range(1 + (owner.id * 7 + start // 2) % 3):
                    await asyncio.sleep(0)
                error = self.fail(owner.id, start)
                if error is not None:
                    if isinstance(error, PipeflowError):
                        error.resume_start = start
                    raise error
                self.pages_served += 1
                yield self.page(start)
        finally:
            self.under_way -= 1

    def page(self, start: int) -> FlowPage:
        more = start + 2 < 2 * self.pages
        return FlowPage(
            updates=tuple(FlowUpdate(object="note", offset=start + place) for place in (0, 1)),
            start=start,
            page_size=2,
            more_items=more,
            next_start=start + 2 if more else None,
        )


def walks(
    ids: Wrong,
    people: People,
    *,
    start: int = 0,
    max_items: int | None = None,
    kind: OwnerKind = OwnerKind.PERSON,
    **options: Wrong,
) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
    plan = WalkPlan(start=start, max_items=max_items)
    return walk_many(ids, kind, people.walk, plan, ManyPlan(**options))


async def collected(updates: AsyncGenerator[tuple[int, FlowUpdate], None]) -> dict[int, list[int]]:
    offsets: dict[int, list[int]] = {}
    async for person_id, update in updates:
        offsets.setdefault(person_id, []).append(update.offset)
    return offsets


def others() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


CONCERN_ALL = [
    AuthenticationError,
    BlockedError,
    DailyBudgetExhaustedError,
    PaymentRequiredError,
    RateLimitError,
]


def fails(*person_ids: int, kind: type[PipeflowError] = ServerError, at: int = 2) -> Fail:
    def fail(person_id: int, start: int) -> PipeflowError | None:
        status: dict[str, Any] = {"status": 500}
        return kind("no", **status) if person_id in person_ids and start == at else None

    return fail


class OwnError(Exception):
    """What the caller's own code raises; it cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]
