"""One walk of the soak test: its history, its faults, and what it must have read in the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from random import Random
from typing import TYPE_CHECKING

from attrs import Factory, define

from pipeflow import PipeflowError, TransportError
from pipeflow.testing import InsertRecord, RemoveRecord
from tests.session.conftest import note, note_id, notes
from tests.soak.trouble import TROUBLE

if TYPE_CHECKING:
    from pipeflow import PipedriveSession
    from pipeflow.testing import Fault, SeenRequest

__all__ = ["Figures", "SoakWalk"]

EVERY = 3
"""Every so many requests of a walk one is at fault."""

MOST_RESUMES = 200
"""A walk that breaks more often does not advance."""

BETWEEN_WALKS = 3
"""Records that can go while the first page of a resumed walk is tried: two in five tries."""

FIRST_INSERTED = 10_000


@define
class Figures:
    """What happened, over all walks of a soak test."""

    walks: int = 0
    requests: int = 0
    resumes: int = 0
    records: int = 0
    faults: Counter[str] = Factory(Counter)
    errors: Counter[str] = Factory(Counter)
    wrong: list[str] = Factory(list)

    def __str__(self) -> str:
        lines = [
            f"{self.walks} walks, {len(self.wrong)} walks wrong, {self.resumes} resumes",
            f"{self.requests} requests, {self.records} records",
            f"{self.faults.total()} faults: " + _listed(self.faults),
            f"{self.errors.total()} errors: " + _listed(self.errors),
            *self.wrong,
        ]
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


class SoakWalk:
    """A person's history, which changes while it is walked, and a reader who goes on after errors.

    Records come, go and move down anywhere. What stood throughout and was not touched comes once,
    and in order.
    """

    def __init__(self, seed: int, person: int, figures: Figures) -> None:
        self.person = person
        self._figures = figures
        self._chance = Random(f"{seed}/{person}")
        chance = self._chance
        self.size = chance.choice(
            [chance.randint(0, 12), *(chance.randint(2, 400) for _ in range(4))]
        )
        self.page_size = chance.choice([8, 10, 16, 33, 100, 500])
        self.prefetch = chance.randint(0, 4)
        self.session_number = chance.randrange(100)
        self.history = notes(self.size)
        self.read: list[int] = []
        self._standing = list(range(self.size))
        self._touched: set[int] = set()
        self._removals = 0
        self._requests = 0

    def __repr__(self) -> str:
        return (
            f"<walk {self.person}: {self.size} records, page_size={self.page_size}, "
            f"prefetch={self.prefetch}>"
        )

    # ---- what goes wrong

    def fault_for(self, request: SeenRequest) -> Fault | None:
        """The fault of the walk's next request, or None."""
        self._figures.requests += 1
        self._requests += 1
        if self._requests % EVERY:
            return None
        drawn = self._chance.choice([*TROUBLE, *["inserted", "removed", "moved"] * 2])
        if drawn in {"removed", "moved"} and not self._standing:
            drawn = "inserted"
        self._figures.faults[drawn] += 1
        match drawn:
            case "inserted":
                return self._insertion()
            case "removed":
                return self._removal()
            case "moved":
                return self._move()
            case _:
                return TROUBLE[drawn](self._chance)

    def _insertion(self) -> Fault:
        index = self._chance.randint(0, len(self._standing))
        number = FIRST_INSERTED + self._requests
        self._standing.insert(index, number)
        return InsertRecord(note(number), index)

    def _removal(self) -> Fault:
        index = self._chance.randrange(len(self._standing))
        self._touched.add(self._standing.pop(index))
        self._removals += 1
        return RemoveRecord(index)

    def _move(self) -> Fault:
        """An activity is marked done: it moves down."""
        index = self._chance.randrange(len(self._standing))
        number = self._standing.pop(index)
        self._touched.add(number)
        self._removals += 1
        to = self._chance.randint(index, len(self._standing))
        self._standing.insert(to, number)
        return RemoveRecord(index) + InsertRecord(note(number), to)

    # ---- the reader

    async def run(self, pipedrive: PipedriveSession) -> None:
        """Reads the history to its end, however often that breaks, and notes what is wrong."""
        resumes = 0
        start = await self._read_from(0, pipedrive)
        while start is not None and resumes < MOST_RESUMES:
            resumes += 1
            start = await self._read_from(start, pipedrive)
        self._figures.resumes += resumes
        self._figures.walks += 1
        self._figures.records += len(self.read)
        self._figures.wrong.extend(self.what_is_wrong(ended=start is None))

    async def _read_from(self, start: int, pipedrive: PipedriveSession) -> int | None:
        """Reads on; where to resume after an error, or None at the end."""
        read_before = set(self.read)
        removals_before = self._removals
        walk = pipedrive.iter_person_flow(
            self.person,
            start=start,
            page_size=self.page_size,
            prefetch=self.prefetch,
        )
        try:
            async with aclosing(walk) as updates:
                async for update in updates:
                    number = note_id(update)
                    assert number is not None
                    # What appeared since the error brings records before `start` once more.
                    if number not in read_before:
                        self.read.append(number)
        except PipeflowError as error:
            self._figures.errors[type(error).__name__] += 1
            if isinstance(error, TransportError):
                await asyncio.sleep(0.01)  # as any bot would
            # What goes between the broken walk's last page and the resumed one's first is seen by
            # neither: each such record moves the rest up by one.
            unseen = self._removals - removals_before + BETWEEN_WALKS
            return max(0, (error.resume_start or 0) - unseen)
        return None

    def what_is_wrong(self, *, ended: bool) -> list[str]:
        """A line for each promise that the walk broke."""
        wrong = []
        stood = [number for number in range(self.size) if number not in self._touched]
        read = [number for number in self.read if number in set(stood)]
        if not ended:
            wrong.append(f"{self!r} broke more than {MOST_RESUMES} times")
        elif missing := sorted(set(stood) - set(read)):
            wrong.append(f"{self!r} lost {missing}")
        if repeated := [number for number, count in Counter(self.read).items() if count > 1]:
            wrong.append(f"{self!r} repeated {repeated}")
        elif read != sorted(read):
            wrong.append(f"{self!r} came out of order: {read}")
        return wrong
