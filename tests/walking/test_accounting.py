"""Each id is accounted for whatever happens: random persons, failures, stops, callbacks, loops."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from pipeflow.errors import FlowsFailed, NotFoundError, PipeflowError, ServerError, TransportError
from tests.walking.people import CONCERN_ALL, OwnError, People, others, turns, walks

TRIALS = 400
PERSONS = range(1, 25)
NO_ID = "x"
"""One of the ids, which cannot be one."""


class Trial:
    """One walk over persons of whom some fail, with callbacks of which one may raise."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ids: list[Any] = [self.chance.choice([*PERSONS, NO_ID]) for _ in range(40)]
        kinds: list[Any] = [ServerError, NotFoundError, TransportError, asyncio.CancelledError]
        if self.chance.random() < 0.5:
            kinds.append(self.chance.choice(CONCERN_ALL))
        self.ends = {
            person_id: (self.chance.choice(kinds), 2 * self.chance.randrange(4))
            for person_id in PERSONS
            if self.chance.random() < 0.4
        }
        self.refuses_at = self.chance.choice([None, None, 1, 5])
        self.done: list[int] = []
        self.missing: list[int] = []
        self.failures: list[PipeflowError] = []
        self.consumed: Counter[int] = Counter()
        self.failed: FlowsFailed | None = None

    def fail(self, person_id: int, start: int) -> BaseException | None:
        kind, at = self.ends.get(person_id, (None, -1))
        if kind is None or start != at:
            return None
        said = {} if kind in (TransportError, asyncio.CancelledError) else {"status": 500}
        error: BaseException = kind("no", **said)
        return error

    def note_done(self, person_id: int) -> None:
        self.done.append(person_id)
        if len(self.done) == self.refuses_at:
            raise OwnError

    async def run(self) -> None:
        chance = self.chance
        busy = chance.choice([0, 0, 3, 30])
        updates = walks(
            self.ids,
            People(pages=4, fail=self.fail),
            concurrency=chance.choice([1, 2, 4, 50]),
            max_items=chance.choice([None, None, 4]),
            on_error=chance.choice(["collect", "collect", "raise"]),
            skip_missing=True,
            on_done=self.note_done,
            on_missing=self.missing.append,
            on_failure=self.failures.append,
        )
        try:
            async for person_id, update in updates:
                assert update.offset == self.consumed[person_id]
                self.consumed[person_id] += 1
                await turns(busy)
        except FlowsFailed as failed:
            self.failed = failed

    def assert_all_accounted_for(self) -> None:
        failed = self.failed
        begun = self.ids if failed is None else self.ids[: failed.begun]
        failures = () if failed is None else failed.failures
        unfinished = {} if failed is None else failed.unfinished
        told: list[object] = [*self.done, *self.missing, *unfinished]
        told += [error.owner_id or NO_ID for error in failures]
        assert Counter(told) == {
            entry: count if entry == NO_ID else 1 for entry, count in Counter(begun).items()
        }
        assert list(failures[: len(self.failures)]) == self.failures
        for person_id, start in unfinished.items():
            assert start == self.consumed[person_id]
        for error in self.failures:
            if error.owner_id is not None:
                assert error.resume_start == self.consumed[error.owner_id]


async def test_each_id_is_accounted_for_whatever_happens() -> None:
    stops: Counter[str] = Counter()
    for seed in range(TRIALS):
        trial = Trial(seed)
        await trial.run()
        assert others() == set(), seed
        trial.assert_all_accounted_for()
        stops[type(trial.failed and trial.failed.stopped_by).__name__] += 1
    assert len(stops) > 7
