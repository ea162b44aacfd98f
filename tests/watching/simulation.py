"""A person's history that lives, a clock that jumps, and a consumer that can be killed."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, evolve, field

from pipeflow.records import Activity, FlowPage, FlowUpdate, Note
from pipeflow.watching.checkpoint import Binding

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from pipeflow.errors import PipeflowError
    from pipeflow.records import Payload

ResultT = TypeVar("ResultT")

EPOCH = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        self.now = 0.0
        loop = self

        class Selector(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> list[Any]:
                if timeout:
                    loop.now += timeout
                return super().select(0)

        super().__init__(Selector())

    def time(self) -> float:
        return self.now

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return self.run_until_complete(work)


@define(eq=False)
class History:
    """One person's history, in the order of the real API, which serves its pages."""

    loop: JumpingLoop
    undone: list[FlowUpdate] = field(factory=list)
    past: list[FlowUpdate] = field(factory=list)
    faults: list[PipeflowError] = field(factory=list)
    requests: int = 0
    latency: float = 0.0
    tokens: int | None = None
    is_closed: bool = False
    account: str | None = None
    next_id: int = 1

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.now)

    # ---- what happens

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id

    def add_note(self, depth: int = 0) -> FlowUpdate:
        """A note; a depth above 0 is that of a backdated one."""
        now = self.now()
        depth = min(depth, len(self.past))
        data = Note(id=self._id(), content="made up", add_time=now, update_time=now)
        return self._place("note", data, depth)

    def add_activity(self, place: int = 0) -> FlowUpdate:
        now = self.now()
        data = Activity(id=self._id(), done=False, subject="Call", add_time=now, update_time=now)
        update = FlowUpdate(object="activity", timestamp=now + timedelta(days=2), data=data)
        self.undone.insert(min(place, len(self.undone)), update)
        return update

    def mark_done(self, index: int, depth: int) -> FlowUpdate:
        done = self.undone.pop(index)
        assert isinstance(done.data, Activity)
        data = evolve(done.data, done=True, update_time=self.now(), marked_as_done_time=self.now())
        return self._place("activity", data, min(depth, len(self.past)))

    def edit(self, index: int) -> FlowUpdate:
        updates, place = self._at(index)
        old = updates[place]
        assert isinstance(old.data, Activity | Note)
        updates[place] = evolve(old, data=evolve(old.data, update_time=self.now()))
        return updates[place]

    def remove(self, index: int) -> FlowUpdate:
        updates, place = self._at(index)
        return updates.pop(place)

    def everything(self) -> list[FlowUpdate]:
        return [*self.undone, *self.past]

    def _at(self, index: int) -> tuple[list[FlowUpdate], int]:
        if index < len(self.undone):
            return self.undone, index
        return self.past, index - len(self.undone)

    def _place(self, kind: str, data: Payload, depth: int) -> FlowUpdate:
        update = FlowUpdate(object=kind, timestamp=self.now(), data=data)
        self.past.insert(depth, update)
        return update

    # ---- as the source of a watch

    async def begin(self) -> None:
        self.account = "acme"

    async def walk(self, owner_id: int, first_page: int) -> AsyncGenerator[FlowPage, None]:
        start, limit = 0, first_page
        everything = self.everything()
        while True:
            self.requests += 1
            if self.tokens is not None:
                self.tokens -= 40
            await asyncio.sleep(self.latency)
            if self.faults:
                raise self.faults.pop(0)
            updates = everything[start : start + limit]
            more = start + limit < len(everything)
            yield FlowPage(
                updates=tuple(updates),
                start=start,
                more_items=more,
                next_start=start + limit if more else None,
            )
            if not more:
                return
            start, limit = start + limit, 500

    def server_time(self) -> datetime:
        return self.now()

    def tokens_left(self) -> int | None:
        return self.tokens

    def closed(self) -> bool:
        return self.is_closed

    def binding(self, owner_id: int) -> Binding:
        return Binding(
            account=self.account, owner=f"person {owner_id}", items=None, all_changes=False
        )


def told_as(update: FlowUpdate) -> tuple[str, Any, Any, bool]:
    """What of a record is told once: which one it is, and in which state."""
    data = update.data
    assert isinstance(data, Activity | Note)
    return update.object, data.id, data.update_time, getattr(data, "done", None) is True


def added_at(update: FlowUpdate) -> datetime:
    data = update.data
    assert isinstance(data, Activity | Note)
    assert data.add_time is not None
    return data.add_time
