"""The slot queue against a server that counts, under whatever requests can go through."""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from itertools import count
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pipeflow import RateLimit
from pipeflow.limiting.queue import BURST_SHARE, LONGEST_TRAVEL, MEMORY, Reservation, SlotQueue

if TYPE_CHECKING:
    from collections.abc import Callable

RESOLUTION = 1e-6
"""Seconds by which a loop's clock may be late; it is never early."""

LATEST_ANSWER = 3.0


@frozen
class Journey:
    """What becomes of a request once it is sent: when it is counted, answered, and with what."""

    to_server: float
    back: float
    tells_limit: bool = False
    tells_remaining: bool = False
    reset_seconds: float | None = None
    cancelled_when_granted: bool = False


SILENT = Journey(to_server=0.0, back=LATEST_ANSWER)

journeys = st.builds(
    Journey,
    to_server=st.sampled_from([0.0, LONGEST_TRAVEL]) | st.floats(0.0, LONGEST_TRAVEL),
    back=st.just(0.0) | st.floats(0.0, LATEST_ANSWER),
    tells_limit=st.booleans(),
    tells_remaining=st.booleans(),
    reset_seconds=st.none() | st.floats(0.0, 100.0),
    cancelled_when_granted=st.integers(0, 9).map(lambda number: number == 0),
)


@define(eq=False)
class Request:
    order: int
    journey: Journey
    reservation: Reservation = field(init=False)
    alarm: float = math.inf
    gone: bool = False
    used: int | None = None

    @property
    def is_granted(self) -> bool:
        return self.reservation.slot_free_at is not None


class LimiterMachine(RuleBasedStateMachine):
    """Requests of one client, and the server that counts them, on one made-up clock.

    It holds for answers of any age, as long as a request is counted within `LONGEST_TRAVEL` of its
    sending, nobody else sends, and the allowance is not lowered.
    """

    @initialize(
        assumed=st.integers(1, 8),
        more=st.sampled_from([0, 0, 0, 1, 20]),
        window=st.sampled_from([0.5, 2.0, 10.0]),
        now=st.sampled_from([0.0, 0.3, 100.0, 1e6]),
    )
    def start(self, assumed: int, more: int, window: float, now: float) -> None:
        self.now = now
        self.allowance = assumed + more
        self.window = window
        self.slots = SlotQueue(assumed, window)
        self.counted: list[float] = []
        self.waiting: list[Request] = []
        self.under_way: list[Request] = []
        self.woken: OrderedDict[Request, None] = OrderedDict()
        self.paused_until = now
        self.blocked_until = now
        self.orders = count()
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.event_numbers = count()

    # ---- what can happen

    @rule(journey=journeys, copies=st.integers(1, 6))
    def requests_arrive(self, journey: Journey, copies: int) -> None:
        for _ in range(copies):
            self.arrive(journey)

    @rule(seconds=st.sampled_from([0.001, 0.25, 0.5, 2.0, 15.0]) | st.floats(0.0, 5.0))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(seconds)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def one_that_waits_is_cancelled(self, data: st.DataObject) -> None:
        # Which rules a random run reaches differs.
        self.leave(data.draw(st.sampled_from(self.waiting)))  # pragma: no cover
        self.hear_wakes()  # pragma: no cover

    @rule(most=st.sampled_from([1, 8]))
    def some_under_way_are_cancelled(self, most: int) -> None:
        for request in self.under_way[:most]:
            self.under_way.remove(request)
            self.slots.release(request.reservation, self.now)
        self.hear_wakes()

    @rule(seconds=st.none() | st.floats(0.0, 5.0))
    def a_refusal_asks_to_wait(self, seconds: float | None) -> None:
        self.slots.pause(self.now, seconds)
        pause = self.window if seconds is None else seconds
        self.paused_until = max(self.paused_until, self.now + pause)

    @rule(seconds=st.floats(0.0, 5.0))
    def the_client_is_blocked(self, seconds: float) -> None:
        self.blocked_until = max(self.blocked_until, self.now + seconds)
        self.slots.wake_all()
        self.hear_wakes()

    @rule(more=st.integers(1, 10))
    def the_allowance_is_raised(self, more: int) -> None:
        self.allowance += more

    @rule()
    def the_loop_is_lost(self) -> None:
        for request in (*self.waiting, *self.under_way):
            request.gone = True
        self.waiting.clear()
        self.under_way.clear()
        self.woken.clear()

    # ---- what must hold

    @rule()
    def everybody_who_waits_is_granted_in_bounded_time(self) -> None:
        slowest = 2 * self.window + LONGEST_TRAVEL
        pause = self.paused_until - self.now
        self.pass_time(max(0.0, pause) + MEMORY + (1 + len(self.waiting)) * slowest)
        assert not self.waiting

    @rule()
    def after_a_rest_the_whole_allowance_is_there(self) -> None:
        self.everybody_who_waits_is_granted_in_bounded_time()
        self.pass_time(LONGEST_TRAVEL + LATEST_ANSWER + MEMORY + self.window)
        for _ in range(self.slots.limit):
            self.arrive(SILENT)
        self.pass_time((1 - BURST_SHARE) * self.window + RESOLUTION)
        assert not self.waiting

    @invariant()
    def nobody_is_passed_over(self) -> None:
        granted = [request.order for request in self.under_way]
        assert granted == sorted(granted)
        assert not any(request.is_granted for request in self.waiting)

    def teardown(self) -> None:
        if hasattr(self, "slots"):  # pragma: no branch - not when the start was cut short
            self.after_a_rest_the_whole_allowance_is_there()

    # ---- a request's life, as the middleware leads it

    def arrive(self, journey: Journey) -> None:
        if self.now < self.blocked_until:
            return  # pragma: no cover - whether a random run comes here differs
        request = Request(next(self.orders), journey)

        def wake() -> bool:
            self.woken[request] = None
            return not request.gone

        request.reservation = self.slots.reserve(wake, self.now)
        self.waiting.append(request)
        self.ask(request)
        self.hear_wakes()

    def ask(self, request: Request) -> None:
        if request not in self.waiting:
            return
        if self.now < self.blocked_until:  # pragma: no cover - as above
            self.leave(request)
            return
        delay = self.slots.delay_seconds(request.reservation, self.now)
        self.woken.pop(request, None)  # it has just heard
        if delay == 0.0:
            self.send(request)
        elif delay is not None:
            assert delay > 0.0
            request.alarm = self.later(delay + RESOLUTION, lambda: self.hear_alarm(request))

    def hear_alarm(self, request: Request) -> None:
        if request.alarm <= self.now:  # pragma: no branch - else it was put off since
            self.ask(request)

    def leave(self, request: Request) -> None:
        self.waiting.remove(request)
        self.slots.cancel(request.reservation, self.now)

    def send(self, request: Request) -> None:
        earlier = self.waiting[: self.waiting.index(request)]
        assert all(other.is_granted for other in earlier)
        if request.journey.cancelled_when_granted:
            self.leave(request)
            return
        self.waiting.remove(request)
        self.under_way.append(request)
        self.under_way.sort(key=lambda each: each.reservation.number)
        self.later(request.journey.to_server, lambda: self.be_counted(request))
        to_answer = request.journey.to_server + request.journey.back
        self.later(to_answer, lambda: self.be_answered(request))

    def be_counted(self, request: Request) -> None:
        if request.used is not None:
            return  # pragma: no cover - whether a random run comes here differs
        in_window = [at for at in self.counted if at > self.now - self.window + RESOLUTION]
        self.counted = [*in_window, self.now]
        request.used = len(self.counted)
        assert request.used <= self.allowance

    def be_answered(self, request: Request) -> None:
        if request not in self.under_way:
            return
        self.under_way.remove(request)
        remaining = self.allowance - (request.used or 0)
        told = RateLimit(
            limit=self.allowance if request.journey.tells_limit else None,
            remaining=remaining if request.journey.tells_remaining else None,
            reset_seconds=request.journey.reset_seconds,
        )
        self.slots.release(request.reservation, self.now, told)

    def hear_wakes(self) -> None:
        while self.woken:
            self.ask(self.woken.popitem(last=False)[0])

    # ---- the clock

    def later(self, seconds: float, event: Callable[[], None]) -> float:
        at = self.now + seconds
        heapq.heappush(self.events, (at, next(self.event_numbers), event))
        return at

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while self.events and self.events[0][0] <= until:
            self.now, _, event = heapq.heappop(self.events)
            event()
            self.hear_wakes()
        self.now = until
        assert math.isfinite(self.now)


TestLimiter = LimiterMachine.TestCase
TestLimiter.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
