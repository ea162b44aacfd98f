"""Workers that walk one owner after the other, and the queue of what they bring.

Nothing that a worker brings ever waits for room: it stands in the queue before the worker waits for
its turn to go on. So what was fetched, and that a walk came to its end, is never lost, whatever
stops the workers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

from attrs import evolve, frozen

from pipeflow.errors import (
    AuthenticationError,
    BlockedError,
    InvalidIdError,
    PaymentRequiredError,
    PipeflowError,
    RateLimitError,
    TransportError,
)
from pipeflow.owners import Owner

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from pipeflow.owners import OwnerKind
    from pipeflow.records import FlowPage
    from pipeflow.walking.plan import WalkPlan

__all__ = ["Arrival", "OwnerIds", "Walk", "WorkerPool"]

OwnerIds: TypeAlias = "Iterable[int | tuple[int, int]] | AsyncIterable[int | tuple[int, int]]"
"""Ids, or pairs of an id and the offset at which its walk begins, or both."""

Walk: TypeAlias = "Callable[[Owner, WalkPlan], AsyncGenerator[FlowPage, None]]"
"""Begins the walk of one owner."""

_CONCERNS_ALL = (AuthenticationError, BlockedError, PaymentRequiredError, RateLimitError)
"""What is about the account, the token or the client: the next owner would fail for it, too. (The
daily budget is a kind of rate limit. A burst limit comes here only when its waits are used up, and
going on after that leads to a block.)"""

_REPEATS_PER_TURN = 100
"""Repeated ids to pass over before the event loop gets a turn: `ids` can repeat one for ever."""


@frozen
class Arrival:
    """What a worker brings: a page, the end of an owner's walk, or a last page that is both.

    Attributes:
        owner_id: Whose it is; None for what cannot be an id.
        page: A page of the owner's walk.
        is_end: Whether the walk is over.
        failure: Why it is over, when it failed.
    """

    owner_id: int | None
    page: FlowPage | None = None
    is_end: bool = False
    failure: PipeflowError | None = None


class WorkerPool:
    """Walks over many owners, so many at a time: an async context manager.

    An owner's pages arrive in order. While nobody takes them, at most two pages per worker are
    held. No walk is under way any more when the context has ended, however it ended.

    Args:
        ids: Whom to walk over, taken one by one as workers get free.
        kind: What they are.
        walk: Begins one walk.
        plan: What each walk asks for.
        concurrency: How many workers there are.
        is_fatal: Whether an owner's failure stops all workers, beyond those that always do.

    Attributes:
        begun: Entries of `ids` taken.
        repeated: Those of them that repeat another.
        unfinished: The owners begun and not closed, each with the offset to go on from: kept by
            whoever takes the arrivals.
        stopped_by: What stopped the workers before the end of `ids`.
    """

    def __init__(
        self,
        ids: OwnerIds,
        kind: OwnerKind,
        walk: Walk,
        plan: WalkPlan,
        *,
        concurrency: int,
        is_fatal: Callable[[PipeflowError], bool],
    ) -> None:
        self._ids = _one_by_one(ids)
        self._kind = kind
        self._walk = walk
        self._plan = plan
        self._concurrency = concurrency
        self._is_fatal = is_fatal
        self._taking = asyncio.Lock()
        self._seen: set[int] = set()
        self._arrivals: deque[Arrival] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(concurrency)
        self._at_work: set[asyncio.Task[None]] = set()
        self._is_ending = False
        self.begun: int = 0
        self.repeated: int = 0
        self.unfinished: dict[int, int] = {}
        self.stopped_by: BaseException | None = None

    async def __aenter__(self) -> Self:
        for _ in range(self._concurrency):
            worker = asyncio.create_task(self._work())
            self._at_work.add(worker)
            worker.add_done_callback(self._note_end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()
        cancelled = None
        while self._at_work:
            try:
                await asyncio.wait(self._at_work)
            except asyncio.CancelledError as cancellation:
                cancelled = cancellation  # the workers are ending already: nothing else to end
        await self._ids.aclose()
        if cancelled is not None:
            raise cancelled

    async def next_arrival(self) -> Arrival | None:
        """What came next; None when no more will come: see `stopped_by`.

        When something has stopped the workers, what had arrived by then still comes: it is paid
        for.
        """
        while not self._arrivals:
            if self.stopped_by is not None or not self._at_work:
                return None
            self._news.clear()
            await self._news.wait()
        self._room.release()
        return self._arrivals.popleft()

    def left(self) -> list[Arrival]:
        """What nobody took."""
        return list(self._arrivals)

    async def _work(self) -> None:
        while not self._is_ending and (taken := await self._take()) is not None:
            if isinstance(taken, InvalidIdError):
                self._bring(Arrival(None, is_end=True, failure=taken))
                if self._is_fatal(taken):
                    raise taken
            else:
                await self._walk_one(*taken)
            if not self._is_ending:
                await self._room.acquire()

    async def _take(self) -> tuple[Owner, WalkPlan] | InvalidIdError | None:
        """Whom to walk next and how, or why an id is none, or None after the last."""
        async with self._taking:
            while True:
                try:
                    entry = await anext(self._ids)
                except StopAsyncIteration:
                    return None
                except asyncio.CancelledError as error:
                    if _is_being_cancelled():
                        raise
                    raise RuntimeError("`ids` was cancelled by something it waited for") from error
                self.begun += 1
                try:
                    owner, plan = self._assignment(entry)
                except (TypeError, ValueError) as error:
                    return InvalidIdError(str(error))
                if owner.id not in self._seen:
                    self._seen.add(owner.id)
                    self.unfinished[owner.id] = plan.start
                    return owner, plan
                self.repeated += 1
                if self.repeated % _REPEATS_PER_TURN == 0:
                    await asyncio.sleep(0)

    def _assignment(self, entry: object) -> tuple[Owner, WalkPlan]:
        if not isinstance(entry, tuple):
            return Owner(self._kind, entry), self._plan  # type: ignore[arg-type]  # it checks
        if len(entry) != 2:
            raise TypeError(f"an entry of ids must be an id or an (id, start) pair, not {entry!r}")
        owner_id, start = entry
        return Owner(self._kind, owner_id), evolve(self._plan, start=start)

    async def _walk_one(self, owner: Owner, plan: WalkPlan) -> None:
        is_end = False
        start = plan.start
        count = 0
        try:
            async with aclosing(self._walk(owner, plan)) as pages:
                async for page in pages:
                    count += len(page.updates)
                    following = page.next_start
                    is_end = following is None or count == plan.max_items
                    self._bring(Arrival(owner.id, page, is_end=is_end))
                    if following is None or is_end or self._is_ending:
                        break
                    start = following
                    await self._room.acquire()
                else:
                    is_end = True
                    self._bring(Arrival(owner.id, is_end=True))
        except asyncio.CancelledError as error:
            if is_end or _is_being_cancelled():
                raise
            failure: PipeflowError = TransportError(
                f"the walk of {self._kind.noun} {owner.id} was cancelled by something it waited "
                "for, such as a task of a middleware's",
                resume_start=start,
            )
            failure.__cause__ = error
        except PipeflowError as error:
            if is_end:
                raise
            failure = error
        else:
            return
        failure.owner_id = owner.id
        if isinstance(failure, _CONCERNS_ALL):
            raise failure
        self._bring(Arrival(owner.id, is_end=True, failure=failure))
        if self._is_fatal(failure):
            raise failure

    def _bring(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        self._news.set()

    def _note_end(self, worker: asyncio.Task[None]) -> None:
        """However a worker ends, the task that waits for arrivals is woken."""
        self._at_work.discard(worker)
        if not worker.cancelled():
            error = worker.exception()
        elif self._is_ending:
            error = None
        else:
            error = RuntimeError("a task of this walk was cancelled from outside")
        if error is not None and self.stopped_by is None:
            self.stopped_by = error
            self._end()
        self._news.set()

    def _end(self) -> None:
        self._is_ending = True
        for worker in self._at_work:
            worker.cancel()


def _is_being_cancelled() -> bool:
    """Whether somebody cancels the current task, so that a `CancelledError` is meant for it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _one_by_one(ids: OwnerIds) -> AsyncGenerator[object, None]:
    if isinstance(ids, AsyncIterable):
        async for entry in ids:
            yield entry
    else:
        for entry in ids:
            yield entry
