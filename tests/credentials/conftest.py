"""A clock that stands until it is moved, and a token endpoint in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from pipeflow.credentials import OAuthCredential, OAuthTokens
from pipeflow.errors import ReauthorizationRequiredError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pipeflow.credentials import TokenStore

LIFETIME = 3600.0
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@define
class Clocks:
    """The monotonic clock and the wall clock, which a test may move apart."""

    seconds: float = 1000.0
    wall: datetime = START

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.wall


@define(repr=False)
class Endpoint:
    """Trades refresh tokens, each once if it rotates them.

    `outcomes` are what the next requests do before they are answered: an exception to raise, or a
    coroutine function to await. An exception in `losses` is raised after the token was spent.
    """

    clocks: Clocks
    rotates: bool = True
    number: int = 1
    alive: set[str] = field(factory=lambda: {"refresh-token-0001"})
    requests: list[str] = field(factory=list)
    outcomes: list[Exception | Callable[[], Awaitable[object]]] = field(factory=list)
    losses: list[Exception] = field(factory=list)

    def tokens(self, lifetime: float = LIFETIME) -> OAuthTokens:
        return OAuthTokens(
            access_token=f"access-token-{self.number:04}",
            refresh_token=f"refresh-token-{self.number if self.rotates else 1:04}",
            expires_at=self.clocks.wall + timedelta(seconds=lifetime),
            api_domain="https://acme.pipedrive.com",
        )

    async def refresh(self, tokens: OAuthTokens) -> OAuthTokens:
        self.requests.append(str(tokens.refresh_token))
        if self.outcomes:
            outcome = self.outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            await outcome()
        await asyncio.sleep(0)
        if tokens.refresh_token not in self.alive:
            raise ReauthorizationRequiredError("400 invalid_grant", status=400)
        self.number += 1
        new = self.tokens()
        self.alive = {str(new.refresh_token)}
        if self.losses:
            raise self.losses.pop(0)
        return new

    def credential(self, store: TokenStore, *, random: float = 0.0) -> OAuthCredential:
        return OAuthCredential(
            store,
            self.refresh,
            secrets=lambda: ["the client's secret"],
            clock=self.clocks.monotonic,
            now=self.clocks.now,
            random=lambda: random,
        )


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def endpoint(clocks: Clocks) -> Endpoint:
    return Endpoint(clocks)
