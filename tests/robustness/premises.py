"""Where the tests of this folder take place: loops, a watched session, and ways to cancel."""

from __future__ import annotations

import asyncio
import gc
import inspect
import time
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from attrs import define

from pipeflow import BurstLimiter, PipedriveSession
from pipeflow.limiting.queue import LONGEST_TRAVEL
from tests.session.conftest import note_ids, notes, session_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator
    from typing import Unpack

    from pipeflow.session import SessionOptions
    from pipeflow.testing import FakePipedrive

LOOPS = [
    pytest.param(("asyncio", False), id="asyncio"),
    pytest.param(("asyncio", True), id="debug"),
    pytest.param(
        ("uvloop", False),
        id="uvloop",
        marks=pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed"),
    ),
]

PERSONS = range(1, 4)
RECORDS = 30
PAGE = 10

SERVERS_OWN = ("web_protocol", "_accept_connection", "Listener")
"""What the tasks of the fake server run, as it stands in their `repr`."""

LONG = 1000.0
"""Seconds of the limiter's window: no slot comes back by itself while a test runs."""


def histories() -> dict[int, list[dict[str, object]]]:
    return dict.fromkeys(PERSONS, notes(RECORDS))


def on_every_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test on asyncio's loop, the same in debug mode, and uvloop.

    What reaches a loop's exception handler, such as a task destroyed while pending, fails it.
    """

    def on_one_loop(loop: tuple[str, bool], **arguments: object) -> None:
        module, debug = loop
        complaints: list[dict[str, Any]] = []
        factory = import_module(module).new_event_loop
        with asyncio.Runner(debug=debug, loop_factory=factory) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
            runner.run(test(**arguments))
            gc.collect()
        gc.collect()
        assert complaints == []

    signature = inspect.signature(test)
    own = inspect.Parameter("loop", inspect.Parameter.KEYWORD_ONLY)
    parameters = [*signature.parameters.values(), own]
    on_one_loop.__name__ = test.__name__
    on_one_loop.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return pytest.mark.parametrize("loop", LOOPS)(on_one_loop)


@define
class Watched:
    """A session, and what it must not leave behind."""

    pipedrive: PipedriveSession
    limiter: BurstLimiter

    def assert_nothing_left(self) -> None:
        assert tasks_left() == [], tasks_left()
        assert connections_in_use(self.pipedrive) == 0
        assert repr(self.limiter).endswith(" 0 waiting>")
        # A slot that was given back is gone; one that was used counts from its request's answer,
        # or without one as if it had been long on its way.
        slots = self.limiter._queue._slots_free_at
        assert len(slots) == self.pipedrive.stats.requests
        assert all(slot <= time.monotonic() + LONG + LONGEST_TRAVEL for slot in slots)

    async def assert_usable(self) -> None:
        walk = self.pipedrive.iter_person_flow(1, page_size=PAGE)
        assert await note_ids(walk) == list(range(RECORDS))
        self.assert_nothing_left()


@asynccontextmanager
async def watched_session(
    fake: FakePipedrive, **options: Unpack[SessionOptions]
) -> AsyncIterator[Watched]:
    """A session of which nothing is left at the end, and which works up to then."""
    limiter = BurstLimiter(10_000, LONG)
    options["limiter"] = limiter
    async with session_at(fake, **options) as pipedrive:
        watched = Watched(pipedrive, limiter)
        yield watched
        watched.assert_nothing_left()
        fake.on_request = None
        await watched.assert_usable()
    assert tasks_left() == [], tasks_left()


def tasks_left() -> list[asyncio.Task[Any]]:
    """All tasks but the test's own and the fake server's."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in tasks if not any(own in repr(task) for own in SERVERS_OWN)]


def connections_in_use(pipedrive: PipedriveSession) -> int:
    """Connections that some request holds; idle ones are the pool's."""
    client = pipedrive._connection._own
    return 0 if client is None or client.connector is None else len(client.connector._acquired)


async def until_no_task_is_left() -> None:
    """Lets the loop turn; the test's own timeout bounds it."""
    while tasks_left():
        await asyncio.sleep(0)


async def turns(count: int) -> None:
    """Lets the loop turn so often."""
    for _ in range(count):
        await asyncio.sleep(0)


class CancelledAtAwait:
    """A coroutine that is cancelled, by the task that runs it, at its await number `count`.

    Args:
        coroutine: What runs.
        count: At which of its awaits, the first being 1.
        times: How many awaits in a row are cancelled.

    Attributes:
        awaits: How many there were.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], count: int, *, times: int = 1) -> None:
        self._coroutine = coroutine
        self._cancelled = range(count, count + times)
        self.awaits = 0

    async def run(self) -> object:
        return await self

    def __await__(self) -> Generator[Any, None, Any]:
        task = asyncio.current_task()
        assert task is not None
        steps = self._coroutine.__await__()
        step: Callable[[], Any] = lambda: next(steps)  # noqa: E731
        while True:
            try:
                waited_for = step()
            except StopIteration as end:
                return end.value
            self.awaits += 1
            if self.awaits in self._cancelled:
                task.cancel()
            try:
                yield waited_for
                step = lambda: next(steps)  # noqa: E731
            except BaseException as error:  # noqa: BLE001 - the coroutine's own affair
                thrown = error
                step = lambda: steps.throw(thrown)  # noqa: B023, E731
