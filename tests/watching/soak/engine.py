"""The account that lives, the faults, the kills, and the judge."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from pipeflow.codec import decode_page
from pipeflow.testing import (
    BadGateway,
    Disconnect,
    FakePipedrive,
    InvalidJson,
    NullBody,
    Reset,
    Status,
    generate_history,
)
from pipeflow.watching.place import sightings
from tests.watching.soak.bot import kept_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pipeflow.testing import Fault, SeenRequest

Told: TypeAlias = tuple[int, str, str]
"""A person, one of its records, and the state of it."""

FAULTS = [Status(503), Reset(), NullBody(), Disconnect(), InvalidJson(), BadGateway()]
BOT = "tests.watching.soak.bot"
PATIENCE = 60.0
"""Seconds from the end of life in which everything has to be told."""


@define
class Figures:
    """What a soak has come across.

    Attributes:
        wrong: Each broken promise, in a line.
    """

    deeds: int = 0
    kills: int = 0
    events: int = 0
    requests: int = 0
    faults: int = 0
    wrong: list[str] = field(factory=list)


async def soak(
    *, persons: int, kills: int, seconds: float, rate: float, interval: float, seed: int
) -> Figures:
    """Lets an account live for so many seconds, and its bot be killed so many times.

    Args:
        persons: How many the bot watches.
        kills: How often the bot is killed with SIGKILL, and started anew.
        seconds: How long things happen.
        rate: How many happen in a second.
        interval: Seconds between two polls of a person; a deep look comes after three.
        seed: What happens, and when the bot is killed.
    """
    figures = Figures()
    chance = random.Random(seed)
    histories = {person: _history(person) for person in range(1, persons + 1)}
    with (
        tempfile.TemporaryDirectory() as folder,
        FakePipedrive(persons=histories, burst_limit=480) as fake,
    ):
        file = Path(folder) / "events.jsonl"
        fake.on_request = _Trouble(figures)
        arguments = [fake.base_url, fake.api_token, str(file), str(persons)]
        arguments += [str(interval)]
        before = _standing(fake, persons)
        async with _bot(arguments):
            await _until(lambda: _placed(file) == persons)
        life = fake.live(rate=rate, seed=seed)
        for _ in range(kills):
            async with _bot(arguments):
                await asyncio.sleep(seconds / kills * (0.5 + chance.random()))
            figures.kills += 1
        life.stop()
        figures.deeds = life.steps
        async with _bot(arguments):
            after = _standing(fake, persons)
            due = after.keys() - before.keys()
            await _until(lambda: due <= set(_told(file)))
            await asyncio.sleep(4 * interval)  # what is repeated would come now
        told = _told(file)
        names = {one: line["what"] for one, line in zip(told, _events(file), strict=True)}
        figures.events = len(told)
        figures.requests = fake.request_count
        figures.wrong += [f"lost {after[one]}" for one in sorted(due - set(told))]
        figures.wrong += [
            f"told an old one: {names[one]}" for one in sorted(before.keys() & set(told))
        ]
        figures.wrong += [
            f"repeated {names[one]} of {one[0]}" for one in sorted(names) if told.count(one) > 1
        ]
    return figures


def _history(person: int) -> list[dict[str, Any]]:
    """A history whose ids are those of no other person's, so that records can move."""
    records = generate_history(person_id=person, size=60, base_time=datetime.now(UTC))
    for record in records:
        if "id" in record["data"]:
            record["data"]["id"] += 2_000_000 + 10_000 * person
    return records


class _Trouble:
    """Every third request is answered with a fault."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._faults = itertools.cycle(FAULTS)
        self._count = 0

    def __call__(self, _: SeenRequest) -> Fault | None:
        self._count += 1
        if self._count % 3:
            return None
        self._figures.faults += 1
        return next(self._faults)


def _standing(fake: FakePipedrive, persons: int) -> dict[Told, str]:
    """What there is to tell of the records that stand in the histories now, with their names."""
    standing: dict[Told, str] = {}
    for person in range(1, persons + 1):
        records = fake.records(person=person, all_changes=False)
        page = decode_page(json.dumps({"success": True, "data": records}).encode())
        seen = sightings(page.updates, {})
        standing |= {
            (person, one.identity, one.state): (
                f"{one.update.object} {one.update.id} at {place} of person {person}, "
                f"touched {one.touched}, added {one.added}, {one.update.is_planned}"
            )
            for place, one in enumerate(seen)
        }
    return standing


def _placed(file: Path) -> int:
    return sum(len(line["began"]) for line in kept_in(file) if "began" in line)


def _events(file: Path) -> list[dict[str, Any]]:
    return [line for line in kept_in(file) if "began" not in line]


def _told(file: Path) -> list[Told]:
    return [(line["person"], line["record"], line["state"]) for line in _events(file)]


async def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < end:
        await asyncio.sleep(0.25)


@asynccontextmanager
async def _bot(arguments: list[str]) -> AsyncIterator[None]:
    """A bot that runs, and is killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", BOT, *arguments, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield
        if process.returncode is not None:
            raise RuntimeError(f"the bot has ended by itself, with {process.returncode}")
        process.kill()
    finally:
        await process.wait()
