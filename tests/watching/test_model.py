"""A watch of a history that changes, killed and restarted: told once, in order, nothing missed."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeflow.errors import ServerError, TransportError
from pipeflow.watching.plan import WatchPlan
from pipeflow.watching.watch import FlowWatch
from tests.watching.simulation import History, JumpingLoop, added_at, told_as

if TYPE_CHECKING:
    from pipeflow.watching import FlowEvent

INTERVAL = 300.0
DEEP_INTERVAL = 3600.0
PATIENCE = 2 * DEEP_INTERVAL + 3 * INTERVAL


class Watching(RuleBasedStateMachine):
    """A consumer that keeps what it is told together with the checkpoint, in one step."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = JumpingLoop()
        self.history = History(self.loop)
        self.kept: list[tuple[Any, ...]] = []
        self.checkpoint: str | None = None
        self.unsaved: list[tuple[Any, ...]] = []

    def teardown(self) -> None:
        self.loop.run(self.watch.aclose())
        self.loop.close()

    @initialize(notes=st.integers(0, 120), activities=st.integers(0, 8))
    def begin(self, notes: int, activities: int) -> None:
        for _ in range(notes):
            self.history.add_note()
        for _ in range(activities):
            self.history.add_activity()
        self.loop.now += 100_000.0
        self.began = self.history.now()
        self.watch = self.new_watch(None)
        self.loop.run(self.watch.__aenter__())
        self.checkpoint = json.dumps(self.watch.checkpoint)

    def new_watch(self, checkpoint: dict[str, Any] | None) -> FlowWatch:
        return FlowWatch(
            self.history,
            [1],
            {} if checkpoint is None else {1: checkpoint},
            WatchPlan(interval=INTERVAL, deep_interval=DEEP_INTERVAL),
            clock=self.loop.time,
            now=self.history.now,
            chance=lambda: 0.5,
        )

    # ---- life

    @rule(depth=st.sampled_from([0, 0, 0, 1, 3, 10, 40, 60, 200]), count=st.integers(1, 4))
    def a_note_appears(self, depth: int, count: int) -> None:
        self.loop.now += 1.0
        for _ in range(count):
            self.history.add_note(depth)

    @rule(count=st.sampled_from([30, 130, 700]))
    def many_notes_appear(self, count: int) -> None:
        for _ in range(count):
            self.loop.now += 1.0
            self.history.add_note()

    @rule(place=st.integers(0, 5))
    def an_activity_appears(self, place: int) -> None:
        self.loop.now += 1.0
        self.history.add_activity(place)

    @precondition(lambda self: self.history.undone)
    @rule(data=st.data(), depth=st.sampled_from([0, 0, 2, 8, 30, 90, 600]))
    def an_activity_is_done(self, data: st.DataObject, depth: int) -> None:
        self.loop.now += 1.0
        index = data.draw(st.integers(0, len(self.history.undone) - 1))
        self.history.mark_done(index, depth)

    @precondition(lambda self: self.history.everything())
    @rule(data=st.data(), what=st.sampled_from(["edit", "edit", "remove"]))
    def a_record_is_edited_or_removed(self, data: st.DataObject, what: str) -> None:
        self.loop.now += 1.0
        index = data.draw(st.integers(0, min(60, len(self.history.everything()) - 1)))
        getattr(self.history, what)(index)

    @rule(seconds=st.sampled_from([1.0, 90.0, 1000.0, 5000.0]))
    def time_passes(self, seconds: float) -> None:
        self.loop.now += seconds

    @rule(error=st.sampled_from([TransportError, ServerError]))
    def a_fault_comes(self, error: type) -> None:
        fault = error("made up", **({"status": 503} if error is ServerError else {}))
        self.history.faults.append(fault)

    # ---- the watch

    @rule(events=st.integers(1, 30), saves=st.booleans(), poked=st.booleans())
    def some_events_are_handled(self, events: int, *, saves: bool, poked: bool) -> None:
        if poked:
            self.watch.poke(1)
        for _ in range(events):
            if not self.handle_one(within=2 * INTERVAL):
                break
        if saves:
            self.save()

    @rule()
    def it_is_killed(self) -> None:
        self.loop.run(self.watch.aclose())
        self.unsaved.clear()
        assert self.checkpoint is not None
        self.watch = self.new_watch(json.loads(self.checkpoint))

    @rule()
    def all_is_told_in_time(self) -> None:
        """A deep look has come, and everything is handled."""
        self.history.faults.clear()
        end = self.loop.now + PATIENCE
        while self.loop.now < end:
            self.handle_one(within=end - self.loop.now + 1)
        self.save()
        now = {told_as(update): update for update in self.history.everything()}
        due = {told for told in now if told[2] > self.began}
        missed = due - set(self.kept)
        assert not missed, f"never told: {missed}"

    def handle_one(self, *, within: float) -> bool:
        async def wait() -> FlowEvent | None:
            try:
                return await asyncio.wait_for(anext(self.watch), within)
            except TimeoutError:
                return None

        event = self.loop.run(wait())
        if event is None:
            return False
        told = told_as(event.update)
        before = {one[:2] for one in self.kept + self.unsaved}
        is_old = added_at(event.update) <= self.began or told[:2] in before
        assert event.kind == ("changed" if is_old else "new")
        self.unsaved.append(told)
        assert event.checkpoint == self.watch.checkpoint
        return True

    def save(self) -> None:
        self.kept += self.unsaved
        self.unsaved.clear()
        self.checkpoint = json.dumps(self.watch.checkpoint)

    @invariant()
    def nothing_is_told_twice_and_nothing_old(self) -> None:
        told = self.kept + self.unsaved
        assert len(told) == len(set(told))
        assert all(one[2] > self.began for one in told)

    @invariant()
    def checkpoints_stay_small(self) -> None:
        if self.checkpoint is not None:
            assert len(self.checkpoint) < 8_000


TestWatching = Watching.TestCase
TestWatching.settings = settings(
    max_examples=int(os.environ.get("WATCH_EXAMPLES", "60")),
    stateful_step_count=30,
    deadline=None,
    derandomize="WATCH_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
)
