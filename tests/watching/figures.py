"""What a watch costs in a day: `python -m tests.watching.figures` prints what the docs have.

A simulated day of a virtual clock: the requests are those of real polls, of made-up histories.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from attrs import frozen

from pipeflow.answers import REQUEST_TOKENS
from pipeflow.cost import DAY
from pipeflow.watching.plan import WatchPlan
from pipeflow.watching.watch import FlowWatch
from tests.watching.simulation import History, JumpingLoop


@frozen
class Day:
    """A day of a watch.

    Attributes:
        requests: Those after the beginning, which costs one for each person.
        events: What was told.
        milliseconds: CPU time for each request, without HTTP and decoding.
        checkpoint: The bytes of the largest checkpoint at the end of the day.
    """

    requests: int
    events: int
    milliseconds: float
    checkpoint: int

    @property
    def tokens(self) -> int:
        """Of the daily budget."""
        return self.requests * REQUEST_TOKENS


def a_day(
    persons: int, *, interval: float, notes: int = 0, pokes: bool = False, undone: int = 3
) -> Day:
    """Watches persons for a day.

    Args:
        persons: How many.
        interval: Seconds between two polls of a person.
        notes: How many notes each of them gets, evenly spread.
        pokes: Whether a webhook tells of each.
        undone: Activities of each person that are still to be done.
    """
    loop = JumpingLoop()
    history = History(loop)
    for _ in range(400 if persons < 1000 else 60):
        history.add_note()
    for _ in range(undone):
        history.add_activity()
    loop.now += DAY

    async def life(watch: FlowWatch) -> None:
        for _ in range(notes):
            await asyncio.sleep(DAY / (notes + 1))
            history.add_note()
            for person in range(1, persons + 1) if pokes else ():
                watch.poke(person)

    async def bot() -> Day:
        plan = WatchPlan(interval=interval, daily_share=1.0)
        watch = FlowWatch(
            history,
            range(1, persons + 1),
            {},
            plan,
            clock=loop.time,
            now=history.now,
        )
        events = 0
        async with watch:
            history.requests = 0
            began = time.process_time()
            living = asyncio.create_task(life(watch))
            try:
                async with asyncio.timeout(DAY - 1.0):
                    async for _ in watch:
                        events += 1
            except TimeoutError:
                pass
            spent = time.process_time() - began
            await living
            sizes = [len(json.dumps(place)) for place in watch.checkpoints.values()]
            return Day(
                history.requests, events, 1000 * spent / max(1, history.requests), max(sizes)
            )

    try:
        return loop.run(bot())
    finally:
        loop.close()


SETTINGS = [
    (1, 300.0, 0, False),
    (1, 300.0, 12, False),
    (1, 3600.0, 12, True),
    (100, 3600.0, 0, False),
    (100, 3600.0, 12, False),
    (100, 86_400.0, 12, True),
    (10_000, 86_400.0, 0, False),
    (10_000, 86_400.0, 1, True),
]


def main() -> None:
    """Prints the rows of the table in docs/watching.md, then sizes and times."""
    milliseconds = []
    for persons, interval, notes, pokes in SETTINGS:
        day = a_day(persons, interval=interval, notes=notes, pokes=pokes)
        milliseconds.append(day.milliseconds)
        sys.stdout.write(
            f"| {persons:,} | {interval:.0f} s | {notes or 'idle'} | {'yes' if pokes else 'no'} "
            f"| {day.requests:,} | {day.tokens:,} | {day.events:,} |\n"
        )
        sys.stdout.flush()
    for undone in (0, 10, 100):
        day = a_day(1, interval=3600.0, undone=undone)
        sys.stdout.write(f"checkpoint with {undone} undone: {day.checkpoint:,} bytes\n")
    sys.stdout.write(f"CPU a poll: {min(milliseconds):.2f} to {max(milliseconds):.2f} ms\n")


if __name__ == "__main__":
    main()
