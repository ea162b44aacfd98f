"""The watch: polls in their turn, news to the loop, faults survived."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from attrs import define, field, frozen

from pipeflow.cost import slowed_interval
from pipeflow.errors import (
    ApiError,
    AuthenticationError,
    BlockedError,
    CheckpointLostError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PaymentRequiredError,
    PipeflowError,
    RateLimitError,
    ServerError,
    TransportError,
)
from pipeflow.watching.place import Place
from pipeflow.watching.poll import CROWDED, Kind, Poll, first_place, read
from pipeflow.watching.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType
    from typing import Self

    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.watching.checkpoint import Binding, Checkpoint

__all__ = [
    "FlowEvent",
    "FlowWatch",
    "OnBudget",
    "OnLost",
    "OnWatchError",
    "Source",
    "Verdict",
    "WatchPlan",
]

_log = logging.getLogger("pipeflow")

OnLost: TypeAlias = Literal["raise", "latest", "replay"]
OnBudget: TypeAlias = Literal["wait", "raise"]
Verdict: TypeAlias = Literal["continue", "drop", "raise"]
OnWatchError: TypeAlias = Callable[[int, PipeflowError], "Verdict | Awaitable[Verdict]"]

LONGEST_BACKOFF = 300.0
"""Seconds between two polls of an owner whose polls fail, unless `interval` is longer."""

FIRST_BACKOFF = 5.0
"""Seconds; doubled with each poll that fails."""

BUDGET_CHECK = 900.0
"""Seconds after which a watch asks whether a spent daily budget has started anew, at the latest."""

FIRST_POLLS = 8
"""Owners whose place is found at the same time when a watch begins."""


class Source(Protocol):
    """Where a watch reads histories from."""

    def walk(self, owner_id: int, first_page: int) -> AsyncGenerator[FlowPage, None]:
        """A walk through a history from its newest record, the first page of this size."""
        ...

    def server_time(self) -> datetime:
        """The server's time when it gave the last answer."""
        ...

    def tokens_left(self) -> int | None:
        """Tokens left today, as the last answer said."""
        ...

    def closed(self) -> bool:
        """Whether there is nothing more to be read."""
        ...

    def binding(self, owner_id: int) -> Binding:
        """What the checkpoints of a history belong to."""
        ...


@frozen(kw_only=True)
class WatchPlan:
    """How a watch polls; the arguments of `PipedriveSession.watch_person_flows`."""

    interval: float = 300.0
    deep_interval: float | None = 86_400.0
    deep_pages: int = 20
    max_pages: int = 20
    daily_share: float = 0.5
    on_lost: OnLost = "raise"
    on_budget: OnBudget = "wait"
    on_error: OnWatchError | None = None
    raises_missing: bool = False


@frozen(eq=False)
class FlowEvent:
    """One piece of news about a person, a deal or an organization.

    Attributes:
        person_id: The owner's id; that of the deal or organization where these are watched.
        kind: `"new"` for an update that was not there before, `"changed"` for one that was done,
            moved or edited.
        update: The update as it is now.
    """

    person_id: int
    kind: Kind
    update: FlowUpdate
    _checkpoint_after: Callable[[], Checkpoint] = field(repr=False)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """Where the watch of this owner stands once this event is handled: a JSON-ready value.

        Save it together with what you made of the event: a watch that begins from it repeats
        nothing that came before and misses nothing that comes after.
        """
        return self._checkpoint_after()


@define(eq=False)
class _Watched:
    """One owner of a watch."""

    id: int
    place: Place | None
    poll: Poll | None = None
    told: int = 0
    failures: int = 0
    replays: bool = False

    def place_now(self) -> Place | None:
        return self.place if self.poll is None else self.poll.place_after(self.told)


class FlowWatch:
    """Tells what is new in the histories of persons, deals or organizations, for ever.

    An async context manager and an async iterator of `FlowEvent`. `PipedriveSession` makes it.
    Polls happen while you wait for the next event, one at a time, so a slow loop is never overrun.
    Cancelling that wait is safe: the poll under way goes on, and the next wait has its result.
    """

    def __init__(
        self,
        source: Source,
        ids: Iterable[int],
        checkpoints: Mapping[int, Checkpoint],
        plan: WatchPlan,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._source = source
        self._plan = plan
        self._clock = clock
        self._now = now
        self._schedule = Schedule(chance)
        self._watched: dict[int, _Watched] = {}
        self._news: deque[_Watched] = deque()
        self._task: asyncio.Task[None] | None = None
        self._taken: _Watched | None = None
        self._error: BaseException | None = None
        self._paused_until = -math.inf
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = False
        self._closed = False
        for owner_id in dict.fromkeys([*ids, *checkpoints]):
            self.add(owner_id, checkpoints.get(owner_id))

    def __repr__(self) -> str:
        return f"<FlowWatch of {len(self._watched)}{' closed' if self._closed else ''}>"

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FlowEvent:
        """The next event; it waits for as long as nothing happens.

        Raises:
            StopAsyncIteration: The watch was closed.
            PipeflowError: What ends a watch: 401, 402, a spent budget with `on_budget="raise"`, a
                lost checkpoint with `on_lost="raise"`, or what `on_error` answers with `"raise"`.
        """
        await self._begin()
        while not self._closed:
            if self._news:
                return self._next_event()
            self._raise_error()
            await self._wait_for_news()
        raise StopAsyncIteration

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    async def aclose(self) -> None:
        """Ends the watch: a poll under way is cancelled, and the loop ends. Twice does nothing."""
        self._closed = True
        self._wake.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # nobody is left to hear it

    def session_closed(self) -> None:
        """Ends the wait of the loop with an error: its session was closed."""
        self._fail(TransportError("the PipedriveSession of this watch was closed"))

    # ---- the owners

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The place after the last event returned, of the only owner; None before the first poll.

        Raises:
            ValueError: There are several owners; see `checkpoints`.
        """
        if len(self._watched) != 1:
            raise ValueError(f"this watch has {len(self._watched)} owners; use .checkpoints")
        return next(iter(self.checkpoints.values()), None)

    @property
    def checkpoints(self) -> dict[int, Checkpoint]:
        """The places after the last event returned, by owner; without those not yet polled."""
        return {
            owner_id: self._source.binding(owner_id).checkpoint(place)
            for owner_id, watched in self._watched.items()
            if (place := watched.place_now()) is not None
        }

    def add(self, id: int, checkpoint: Checkpoint | None = None) -> None:
        """Watches one more owner, from a checkpoint or from now on. One that is there stays so.

        Raises:
            ValueError: The id is out of bounds, or the checkpoint is of another account, owner,
                filter or version.
            TypeError: The id is not an int.
        """
        binding = self._source.binding(id)
        place = None if checkpoint is None else binding.place(checkpoint)
        if id not in self._watched:
            self._watched[id] = _Watched(id, place)
            self._schedule.put(id, -math.inf)
            self._wake.set()

    def discard(self, id: int) -> None:
        """Watches an owner no more; news of it that was not told yet is dropped."""
        watched = self._watched.pop(id, None)
        self._schedule.drop(id)
        if watched is not None and watched in self._news:
            self._news.remove(watched)

    def poke(self, id: int) -> None:
        """Polls an owner soon, as when a webhook speaks of it; unknown owners are ignored.

        Many pokes within a second are one poll, a poke during a poll polls once more, and one more
        poll follows ten seconds later. It may be called from any thread.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if self._loop is None or running is self._loop:
            self._poke(id)
        else:
            self._loop.call_soon_threadsafe(self._poke, id)

    def _poke(self, owner_id: int) -> None:
        self._schedule.poke(owner_id, self._clock())
        self._wake.set()

    # ---- events

    def _next_event(self) -> FlowEvent:
        watched = self._news[0]
        poll = watched.poll
        assert poll is not None  # noqa: S101 - those with news have a poll
        news = poll.news[watched.told]
        watched.told += 1
        told, binding = watched.told, self._source.binding(watched.id)
        if told == len(poll.news):
            self._settle(watched, poll)
            self._news.popleft()
        return FlowEvent(
            watched.id,
            news.kind,
            news.record.update,
            lambda: binding.checkpoint(poll.place_after(told)),
        )

    def _settle(self, watched: _Watched, poll: Poll) -> None:
        watched.place, watched.poll, watched.told = poll.place_after(len(poll.news)), None, 0

    # ---- polls

    async def _begin(self) -> None:
        """Finds the place of each owner that begins with now."""
        if self._begun:
            return
        self._begun = True
        self._loop = asyncio.get_running_loop()
        slots = asyncio.Semaphore(FIRST_POLLS)

        async def find_place(watched: _Watched) -> None:
            async with slots:
                if self._error is None and not self._closed:
                    self._schedule.take_out(watched.id)
                    await self._poll(watched)

        new = [watched for watched in self._watched.values() if watched.place is None]
        await asyncio.gather(*(find_place(watched) for watched in new))
        self._raise_error()

    async def _wait_for_news(self) -> None:
        if self._task is None:
            self._wake.clear()
            now = self._clock()
            due = self._schedule.next_due()
            start = max(due, self._paused_until) if due is not None else None
            if start is None or start > now:
                await self._sleep(None if start is None else start - now)
                return
            owner_id = self._schedule.take(now)
            assert owner_id is not None  # noqa: S101 - one is due
            self._task = asyncio.create_task(self._poll(self._watched[owner_id]))
        # Not `await task`: cancelling the wait must not cancel the poll, which is paid for.
        await asyncio.wait([self._task])
        task, self._task = self._task, None
        if not task.cancelled():
            task.result()

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _poll(self, watched: _Watched) -> None:
        began = self._clock()
        wait: float | None = None
        try:
            await self._read(watched)
        except PipeflowError as error:
            error.person_id = watched.id
            wait = await self._after_failure(watched, error)
        except BaseException:  # the poll was cancelled, or failed for another reason: once more
            self._schedule.put(watched.id, began)
            raise
        else:
            watched.failures = 0
        if self._watched.get(watched.id) is not watched:
            return
        now = self._clock()
        if wait is not None:
            self._schedule.put(watched.id, now + wait)
        else:
            self._schedule.polled(watched.id, began, now, self._interval())
        if watched.poll is not None:
            self._news.append(watched)

    async def _read(self, watched: _Watched) -> None:
        plan, place = self._plan, watched.place
        deep = (
            place is not None
            and plan.deep_interval is not None
            and (
                len(place.recent) > CROWDED
                or self._now() - place.moment >= timedelta(seconds=plan.deep_interval)
            )
        )
        reading = await read(
            place,
            lambda first_page: self._source.walk(watched.id, first_page),
            self._source.server_time,
            deep=deep,
            max_pages=2**62 if watched.replays else plan.max_pages,
            deep_pages=0 if plan.deep_interval is None else plan.deep_pages,
        )
        watched.replays = False
        if place is None:
            watched.place = first_place(reading)
            return
        poll = Poll(place, reading, forget=plan.deep_interval is None)
        if poll.news:
            watched.poll, watched.told = poll, 0
        else:
            self._settle(watched, poll)

    def _interval(self) -> float:
        now = self._now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return slowed_interval(
            self._plan.interval,
            owners=len(self._watched),
            tokens_left=self._source.tokens_left(),
            seconds_left=(midnight - now).total_seconds(),
            share=self._plan.daily_share,
        )

    # ---- faults

    async def _after_failure(self, watched: _Watched, error: PipeflowError) -> float | None:
        """Decides what a failed poll means: seconds until this owner is polled again.

        What ends the watch is kept for the loop to raise.
        """
        if self._source.closed():
            return self._fail(error)
        match error:
            case BlockedError():
                return self._pause(error.retry_after or LONGEST_BACKOFF, error)
            case DailyBudgetExhaustedError() if self._plan.on_budget == "wait":
                return self._pause(min(error.retry_after or BUDGET_CHECK, BUDGET_CHECK), error)
            case DailyBudgetExhaustedError() | AuthenticationError() | PaymentRequiredError():
                return self._fail(error)
            case ApiError(status=status) if 300 <= status < 400:  # a wrong address
                return self._fail(error)
            case CheckpointLostError() if self._plan.on_lost != "raise":
                return self._start_anew(watched, error)
            case TransportError() | ServerError() | RateLimitError():
                return self._back_off(watched, error)
        verdict = await self._verdict(watched, error)
        if verdict == "raise":
            return self._fail(error)
        if verdict == "drop":
            _log.warning("the watch of %d ends: %s", watched.id, error)
            self.discard(watched.id)
            return None
        return self._back_off(watched, error)

    async def _verdict(self, watched: _Watched, error: PipeflowError) -> Verdict:
        if self._plan.on_error is not None:
            answer = self._plan.on_error(watched.id, error)
            return await answer if inspect.isawaitable(answer) else answer
        if isinstance(error, CheckpointLostError):
            return "raise"
        if isinstance(error, NotFoundError):
            return "raise" if self._plan.raises_missing else "drop"
        return "continue"

    def _pause(self, seconds: float, error: PipeflowError) -> float:
        _log.warning("the watch pauses for %.0f s: %s", seconds, error)
        self._paused_until = self._clock() + seconds
        return seconds

    def _fail(self, error: PipeflowError) -> float:
        self._error = error
        self._wake.set()
        return self._plan.interval

    def _back_off(self, watched: _Watched, error: PipeflowError) -> float:
        watched.failures += 1
        longest = max(LONGEST_BACKOFF, self._plan.interval)
        seconds = min(longest, FIRST_BACKOFF * 2.0 ** min(watched.failures - 1, 30))
        _log.warning(
            "the poll of %d failed and is repeated in %.0f s: %s", watched.id, seconds, error
        )
        return seconds

    def _start_anew(self, watched: _Watched, error: PipeflowError) -> float:
        if self._plan.on_lost == "latest":
            _log.warning("the watch of %d goes on from now: %s", watched.id, error)
            watched.place = None
        else:
            _log.warning("the watch of %d tells everything anew: %s", watched.id, error)
            watched.place = Place(moment=datetime.min.replace(tzinfo=UTC), whole=True)
            watched.replays = True
        return 0.0
