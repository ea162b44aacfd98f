"""The watch: it polls each owner in turn, gives the news to your loop, and survives faults."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define

from pipeflow.answers import REQUEST_TOKENS
from pipeflow.cost import DailyShare
from pipeflow.errors import PipeflowError, TransportError
from pipeflow.watching.events import FlowEvent
from pipeflow.watching.faults import Action, decide
from pipeflow.watching.place import Place
from pipeflow.watching.poll import CROWDED, Poll, first_place, read
from pipeflow.watching.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from pipeflow.watching.checkpoint import Checkpoint
    from pipeflow.watching.plan import Source, WatchPlan

__all__ = ["FlowWatch"]

_log = logging.getLogger("pipeflow")

FIRST_POLLS = 8
"""Owners whose place is found at the same time when a watch begins."""

_NO_LIMIT = 2**62


@define(eq=False)
class _Watched:
    """One owner, and where its watch stands.

    Attributes:
        id: The owner's id.
        place: The place before `poll`; None until the first poll has found it.
        poll: The poll whose news are being told, or None.
        told: How many of them were.
        failures: How many polls have failed in a row.
        is_replayed: Whether the next poll tells everything there is.
    """

    id: int
    place: Place | None
    poll: Poll | None = None
    told: int = 0
    failures: int = 0
    is_replayed: bool = False

    def place_now(self) -> Place | None:
        return self.place if self.poll is None else self.poll.place_after(self.told)

    def settle(self, poll: Poll) -> None:
        self.place, self.poll, self.told = poll.place_after(len(poll.news)), None, 0


class FlowWatch:
    """Tells what is new in the histories of persons, deals or organizations, for ever.

    An async context manager and an async iterator of `FlowEvent`, made by the `watch_…` methods of
    `PipedriveSession`. Polls happen while you wait for the next event, one at a time, so a slow
    loop is never overrun. Cancelling that wait is safe: a poll under way goes on, and the next
    wait has its result.
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
        self._budget = DailyShare(plan.daily_share)
        self._watched: dict[int, _Watched] = {}
        self._news: deque[_Watched] = deque()
        self._polling: asyncio.Task[None] | None = None
        self._error: PipeflowError | None = None
        self._paused_until = -math.inf
        self._unchecked: dict[int, Checkpoint] = {}  # whose account is not known to be ours
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        for owner_id in dict.fromkeys([*ids, *checkpoints]):
            self.add(owner_id, checkpoints.get(owner_id))

    def __repr__(self) -> str:
        return f"<FlowWatch of {len(self._watched)}{' closed' if self._closed else ''}>"

    # ---- the loop

    async def __aenter__(self) -> Self:
        """Begins: the place of each owner without a checkpoint is found, one request for each."""
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
                lost checkpoint with `on_lost="raise"`, what `on_error` answers with `"raise"`, or
                that the session was closed.
        """
        await self._begin()
        while not self._closed:
            if self._news:
                return self._next_event()
            self._raise_error()
            await self._wait_for_news()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the watch: a poll under way is cancelled, and the loop ends. Twice does nothing."""
        self._closed = True
        self._wake.set()
        if (poll := self._polling) is not None:
            poll.cancel()
            await asyncio.wait([poll])
            if not poll.cancelled():
                poll.exception()  # nobody is left to hear it

    def session_closed(self) -> None:
        """Ends the wait of the loop with an error: its session was closed."""
        self._fail(TransportError("the PipedriveSession of this watch was closed"))

    # ---- the owners

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The place after the last event returned, of the only owner; None before the first poll.

        Raises:
            ValueError: There is not one owner; see `checkpoints`.
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
        """Watches one more owner, from a checkpoint or from its first poll on.

        One that is watched already stays as it is.

        Raises:
            ValueError: The id is out of bounds, or the checkpoint is of another account, owner,
                filter or version. (Of another account: when the watch begins.)
            TypeError: The id is not an int.
        """
        binding = self._source.binding(id)
        place = None if checkpoint is None else binding.place(checkpoint)
        if checkpoint is not None and self._loop is None:
            self._unchecked[id] = checkpoint
        if id not in self._watched:
            self._watched[id] = _Watched(id, place)
            self._schedule.put(id, -math.inf)
            self._wake.set()

    def discard(self, id: int) -> None:
        """Watches an owner no more; news of it that was not told yet is dropped."""
        watched = self._watched.pop(id, None)
        self._schedule.drop(id)
        self._unchecked.pop(id, None)
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
            watched.settle(poll)
            self._news.popleft()
        return FlowEvent(
            watched.id,
            news.kind,
            news.record.update,
            lambda: binding.checkpoint(poll.place_after(told)),
        )

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _fail(self, error: PipeflowError) -> None:
        self._error = error
        self._wake.set()

    # ---- polls

    async def _begin(self) -> None:
        """Finds the place of each owner that begins with now, the first time."""
        if self._loop is not None:
            return
        await self._source.begin()
        self._loop = asyncio.get_running_loop()
        for owner_id, checkpoint in self._unchecked.items():
            self._source.binding(owner_id).place(checkpoint)
        self._unchecked.clear()
        slots = asyncio.Semaphore(FIRST_POLLS)

        async def find_place(watched: _Watched) -> None:
            async with slots:
                if self._error is None and self._clock() >= self._paused_until:
                    self._schedule.take_out(watched.id)
                    await self._poll(watched)

        new = [watched for watched in self._watched.values() if watched.place is None]
        await asyncio.gather(*map(find_place, new))
        self._raise_error()

    async def _wait_for_news(self) -> None:
        if self._polling is None:
            self._wake.clear()
            now = self._clock()
            due = self._schedule.next_due()
            start = None if due is None else max(due, self._paused_until)
            if start is None or start > now:
                await self._sleep(None if start is None else start - now)
                return
            owner_id = self._schedule.take(now)
            assert owner_id is not None  # noqa: S101 - one is due
            self._polling = asyncio.create_task(self._poll(self._watched[owner_id]))
        # Not `await task`: cancelling the wait must not cancel the poll, which is paid for.
        await asyncio.wait([self._polling])
        poll, self._polling = self._polling, None
        if not poll.cancelled():
            poll.result()

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _poll(self, watched: _Watched) -> None:
        began = self._clock()
        wait: float | None = 0.0  # should it be cancelled, or a callback fail
        try:
            wait = await self._read_or_wait(watched)
        finally:
            if self._watched.get(watched.id) is watched:  # and not discarded meanwhile
                if wait is None:
                    self._schedule.polled(watched.id, began, self._clock(), self._interval())
                else:
                    self._schedule.put(watched.id, self._clock() + wait)
        if watched.poll is not None and self._watched.get(watched.id) is watched:
            self._news.append(watched)

    async def _read_or_wait(self, watched: _Watched) -> float | None:
        """One poll; None when it went well, else seconds until this owner is polled again."""
        try:
            await self._read(watched)
        except PipeflowError as error:
            return await self._after_failure(watched, error)
        watched.failures = 0
        return None

    async def _read(self, watched: _Watched) -> None:
        plan, place = self._plan, watched.place
        reading = await read(
            place,
            lambda first_page: self._source.walk(watched.id, first_page),
            self._source.server_time,
            deep=place is not None and self._is_deep_look_due(place),
            max_pages=_NO_LIMIT if watched.is_replayed else plan.max_pages,
            deep_pages=0 if plan.deep_interval is None else plan.deep_pages,
        )
        watched.is_replayed = False
        self._budget.spend(reading.pages * REQUEST_TOKENS, self._now())
        if place is None:
            watched.place = first_place(reading)
            return
        poll = Poll(place, reading, forget=plan.deep_interval is None)
        if poll.news:
            watched.poll, watched.told = poll, 0
        else:
            watched.settle(poll)

    def _is_deep_look_due(self, place: Place) -> bool:
        if self._plan.deep_interval is None:
            return False
        return len(place.recent) > CROWDED or (
            self._now() - place.moment >= timedelta(seconds=self._plan.deep_interval)
        )

    def _interval(self) -> float:
        return self._budget.interval(
            self._plan.interval,
            owners=len(self._watched),
            tokens_left=self._source.tokens_left(),
            now=self._now(),
        )

    async def _after_failure(self, watched: _Watched, error: PipeflowError) -> float:
        """Carries out what a failed poll means; seconds until this owner is polled again."""
        error.owner_id = watched.id
        watched.failures += 1
        if self._source.closed():
            self._fail(error)
            return 0.0
        decision = await decide(error, watched.id, self._plan, failures=watched.failures)
        match decision.action:
            case Action.RAISE:
                self._fail(error)
                return self._plan.interval
            case Action.PAUSE:
                _log.warning("the watch pauses for %.0f s: %s", decision.seconds, error)
                self._paused_until = self._clock() + decision.seconds
            case Action.DROP:
                _log.warning("%d is watched no more: %s", watched.id, error)
                self.discard(watched.id)
            case Action.START_ANEW:
                self._start_anew(watched, error)
            case _:
                _log.warning(
                    "a poll of %d failed; the next is in %.0f s: %s",
                    watched.id,
                    decision.seconds,
                    error,
                )
        return decision.seconds

    def _start_anew(self, watched: _Watched, error: PipeflowError) -> None:
        if self._plan.on_lost == "latest":
            _log.warning("the watch of %d goes on from now: %s", watched.id, error)
            watched.place = None
        else:
            _log.warning("the watch of %d tells everything anew: %s", watched.id, error)
            watched.place = Place(moment=datetime.min.replace(tzinfo=UTC), whole=True)
            watched.is_replayed = True
