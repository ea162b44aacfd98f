"""What goes on by itself, from a seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeflow.testing import Clock, FakePipedrive, Life, generate_history

from .asking import walk

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def living(**options: Any) -> FakePipedrive:  # noqa: ANN401 - the options of the fake
    options.setdefault(
        "persons", {person: generate_history(person_id=person, size=60) for person in (7, 8)}
    )
    return FakePipedrive(clock=Clock(NOON, speed=0), **options)


def lived(seed: int, steps: int = 200) -> FakePipedrive:
    fake = living()
    life = fake.live(rate=0, seed=seed)
    for _ in range(steps):
        life.step()
        fake.clock.advance(7)
    assert life.steps == steps
    return fake


def everything(fake: FakePipedrive) -> list[Any]:
    return fake.records(person=7) + fake.records(person=8)


def test_the_same_seed_makes_the_same_things_happen() -> None:
    assert everything(lived(3)) == everything(lived(3))
    assert everything(lived(3)) != everything(lived(4))


def test_the_order_stays_pipedrives() -> None:
    for person in (7, 8):
        order = [
            (record["object"] == "activity" and not record["data"]["done"], record["timestamp"])
            for record in lived(5).records(person=person)
        ]
        assert order == sorted(order, reverse=True)


def test_no_two_records_have_one_identity() -> None:
    for person in (7, 8):
        identities = Counter(
            (record["object"], record["data"].get("id", record["data"].get("uuid")))
            for record in lived(6, 400).records(person=person)
        )
        assert max(identities.values()) == 1


def test_everything_happens_sooner_or_later() -> None:
    fake = living()
    life = fake.live(rate=0, seed=1)
    seen: Counter[str] = Counter()
    for name in ("add", "mark_done", "edit", "move", "remove"):
        original = getattr(fake, name)

        def spy(*args: Any, name: str = name, original: Any = original, **kwargs: Any) -> None:  # noqa: ANN401
            seen[name] += 1
            original(*args, **kwargs)

        setattr(fake, name, spy)
    for _ in range(200):
        life.step()
    assert seen.keys() == {"add", "mark_done", "edit", "move", "remove"}


@pytest.mark.parametrize("deed", ["finish", "edit", "move", "remove"])
def test_what_cannot_happen_is_a_new_record(deed: str) -> None:
    fake = living(persons={7: []})
    life = fake.live(rate=0, seed=2)
    life._deeds[deed](7)
    assert len(fake.records(person=7)) == 1


def test_a_record_has_nowhere_to_go_where_there_is_one_person() -> None:
    fake = living(persons={7: generate_history(size=60, person_id=7)})
    life = fake.live(rate=0, seed=2)
    life._deeds["move"](7)
    assert len(fake.records(person=7)) == 61


def test_it_goes_on_without_those_who_are_gone() -> None:
    fake = living()
    life = fake.live(rate=0)
    fake.delete(person=7)
    for _ in range(20):
        life.step()
    fake.delete(person=8)
    with pytest.raises(LookupError, match="nobody left"):
        life.step()


def test_somebody_must_be_there_to_begin_with() -> None:
    with pytest.raises(ValueError, match="nobody"):
        living().live(rate=0, persons=[])


async def until_steps(life: Life, count: int) -> None:
    while life.steps < count:
        await asyncio.sleep(0)


async def test_it_goes_by_the_clock() -> None:
    async with living() as fake:
        before = len(await walk(fake, "/persons/7/flow"))
        life = fake.live(rate=1, seed=3, persons=[7])
        while not fake.clock.sleepers:
            await asyncio.sleep(0)
        assert life.steps == 0
        while life.steps < 30:
            fake.clock.advance(1)
            await asyncio.sleep(0)
        assert len(await walk(fake, "/persons/7/flow")) != before
        life.stop()
        fake.clock.advance(1000)
        while fake.clock.sleepers:
            await asyncio.sleep(0)
        assert life.steps == 30


async def test_it_happens_as_often_as_it_is_told() -> None:
    fake = living()
    life = fake.live(rate=0, seed=3)
    waits = [life.wait(5.0) for _ in range(2000)]
    assert 0.18 < sum(waits) / len(waits) < 0.22


async def test_it_ends_with_the_fake() -> None:
    async with FakePipedrive(clock=Clock(speed=1000)) as fake:
        life = fake.live(rate=1)
        await until_steps(life, 3)
    steps = life.steps
    await asyncio.sleep(0.01)
    assert life.steps == steps


async def test_what_it_raises_is_raised_at_the_end() -> None:
    async def serve() -> None:
        async with FakePipedrive(clock=Clock(speed=1e6)) as fake:
            fake.live(rate=1)
            fake.delete(person=1101)
            await asyncio.sleep(0)
            await asyncio.wait(fake._running()._background)

    with pytest.raises(LookupError, match="nobody left"):
        await serve()


def test_it_goes_on_by_itself_only_while_the_fake_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        living().live()


def test_what_is_backdated_says_when_it_was_written() -> None:
    """By its own time it is old; only so can anybody find it."""
    backdated = [
        record
        for record in everything(lived(3, 400))
        if record["object"] in {"note", "call", "mailMessage"}
        and record["timestamp"] < "2026-11-26 11:00:00"
        and int(record["data"].get("id", 0)) >= 1_000_000
    ]
    assert {record["object"] for record in backdated} == {"note", "call", "mailMessage"}
    for record in backdated:
        written = record["data"].get("update_time") or record["data"]["add_time"]
        assert written.replace("T", " ") >= "2026-11-26 12:00:00"
