"""Random lives of many processes with one store: whatever happens, no token is lost.

Each walk has a few processes (a credential each) that share a store and a token endpoint. Requests
come and are cancelled, clocks move and jump, tokens are refused, the store and the endpoint fail
now and then, processes close and start anew. A walk is named by its seed.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from pipeflow.credentials import OAuthCredential, OAuthTokens
from pipeflow.errors import (
    PipeflowError,
    ReauthorizationRequiredError,
    ServerError,
    TransportError,
)
from tests.credentials.conftest import LIFETIME, START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeflow.credentials import Authorization

WALKS = 300
STEPS = 60
PROCESSES = 3


@define
class World:
    """The store, the token endpoint and the clocks, all of which misbehave by chance."""

    chance: random.Random
    rotates: bool
    loses_answers: bool
    faults: float = 0.1
    seconds: float = 0.0
    wall: datetime = START
    number: int = 1
    alive: set[str] = field(factory=lambda: {"refresh-token-0001"})
    valid: dict[str, float] = field(factory=dict)
    kept: OAuthTokens | None = None
    saved: set[str] = field(factory=set)
    lost: int = 0
    unsaved: int = 0
    in_flight: int = 0
    requests: int = 0
    refused_grants: int = 0
    _lock: asyncio.Lock = field(factory=asyncio.Lock)

    # clocks

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.wall

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)

    # the token endpoint

    def issue(self) -> OAuthTokens:
        self.number += 1
        access = f"access-token-{self.number:04}"
        refresh = f"refresh-token-{self.number if self.rotates else 1:04}"
        self.alive = {refresh}
        self.valid[access] = self.seconds + LIFETIME
        return OAuthTokens(
            access_token=access,
            refresh_token=refresh,
            expires_at=self.wall + timedelta(seconds=LIFETIME),
            api_domain="https://acme.pipedrive.com",
        )

    async def refresh(self, tokens: OAuthTokens) -> OAuthTokens:
        self.requests += 1
        self.in_flight += 1
        assert self.in_flight == 1, "two refreshes at the same time"
        try:
            await self.dawdle()
            if self.fails():
                raise self.chance.choice([TransportError("no"), ServerError("503", status=503)])
            if tokens.refresh_token not in self.alive:
                self.refused_grants += 1
                raise ReauthorizationRequiredError("invalid_grant", status=400)
            new = self.issue()
            await self.dawdle()
            if self.loses_answers and self.fails():
                self.lost += 1
                raise TransportError("no answer")
            return new
        finally:
            self.in_flight -= 1

    async def dawdle(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)

    def fails(self) -> bool:
        return self.chance.random() < self.faults

    # the store

    async def load(self) -> OAuthTokens:
        await self.dawdle()
        if self.fails():
            raise OSError("away")
        assert self.kept is not None
        return self.kept

    async def save(self, tokens: OAuthTokens) -> None:
        await self.dawdle()
        if self.fails():
            self.unsaved += 1
            raise OSError("disk full")
        self.kept = tokens
        self.saved.add(str(tokens.access_token))
        await self.dawdle()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        if self.fails():
            raise OSError("away")
        async with self._lock:
            yield

    # the processes

    def start(self) -> OAuthCredential:
        return OAuthCredential(
            self, self.refresh, clock=self.clock, now=self.now, random=self.chance.random
        )


def token_in(authorization: Authorization) -> str:
    return authorization.headers["Authorization"].removeprefix("Bearer ")


async def use(world: World, credential: OAuthCredential) -> None:
    """One request, sent again after a 401, as the middlewares do it."""
    for _ in range(3):
        authorization = await credential.authorization()
        token = token_in(authorization)
        assert token in world.saved, "used before it was saved"
        is_refused = world.valid.get(token, 0.0) <= world.seconds
        if not is_refused or not await credential.refresh(authorization):
            return


async def walk(seed: int) -> World:
    chance = random.Random(seed)
    world = World(chance, rotates=chance.random() < 0.7, loses_answers=chance.random() < 0.3)
    world.kept = world.issue()
    world.saved.add(str(world.kept.access_token))
    processes = [world.start() for _ in range(PROCESSES)]
    tasks: set[asyncio.Task[None]] = set()
    for _ in range(STEPS):
        match chance.randrange(10):
            case 0:
                world.pass_by(chance.choice([1.0, 30.0, 400.0, 2000.0, 3600.0]))
            case 1:
                world.wall += timedelta(seconds=chance.choice([-5000, -60, 60, 5000]))
            case 2:
                world.valid.clear()  # everything is refused from now on
            case 3 if tasks:
                chance.choice(sorted(tasks, key=id)).cancel()
            case 4:
                await asyncio.gather(*tasks, return_exceptions=True)
                await closed(world, processes, chance.randrange(PROCESSES))
            case _:
                for _ in range(chance.choice([1, 1, 2, 20])):
                    tasks.add(asyncio.create_task(use(world, chance.choice(processes))))
        await world.dawdle()
        ended = {task for task in tasks if task.done()}
        tasks -= ended
        for task in ended:
            check(world, task)
    for task in tasks:
        await asyncio.wait([task])
        check(world, task)
    await end_well(world, processes)
    return world


def check(world: World, task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    assert error is None or isinstance(error, PipeflowError), repr(error)
    if isinstance(error, ReauthorizationRequiredError):
        # What one process could not save yet, another cannot know.
        assert world.lost + world.unsaved > 0, "a refresh token died, and nothing went wrong"


async def closed(world: World, processes: list[OAuthCredential], index: int) -> None:
    """A process closes, in the end successfully, and another takes its place."""
    faults, world.faults = world.faults, 0.0
    await processes[index].close()
    world.faults = faults
    assert processes[index]._unsaved is None
    processes[index] = world.start()


async def end_well(world: World, processes: list[OAuthCredential]) -> None:
    """Once nothing fails any more, each process works, unless an answer was lost."""
    world.faults = 0.0
    for index in range(PROCESSES):
        await processes[index].close()
    world.pass_by(4000.0)
    for each in processes:
        try:
            await use(world, each)
        except ReauthorizationRequiredError:
            assert world.lost > 0
            assert world.rotates
        else:
            token = token_in(await each.authorization())
            assert world.valid[token] > world.seconds
            assert world.kept is not None
            assert world.kept.refresh_token in world.alive


@pytest.mark.parametrize("tenth", range(10))
def test_whatever_happens_no_token_is_lost(tenth: int) -> None:
    worlds = [asyncio.run(walk(seed)) for seed in range(tenth, WALKS, 10)]
    assert sum(world.requests for world in worlds) > len(worlds)
    honest = [world for world in worlds if not world.lost and not world.unsaved]
    assert honest
    assert sum(world.refused_grants for world in honest) == 0


async def test_the_model_notices_a_token_that_is_used_before_it_is_saved() -> None:
    world = World(random.Random(0), rotates=True, loses_answers=False, faults=0.0)
    world.kept = world.issue()
    with pytest.raises(AssertionError, match="before it was saved"):
        await use(world, world.start())


async def test_the_model_notices_two_refreshes_at_once() -> None:
    world = World(random.Random(0), rotates=True, loses_answers=False, faults=0.0)
    world.in_flight = 1
    with pytest.raises(AssertionError, match="at the same time"):
        await world.refresh(world.issue())
