"""OAuth tokens as a credential: refreshed in time, one refresh at a time, and none lost.

A refresh may end the refresh token that it spends, so new tokens are saved before they are first
used, by a task that no cancelled request takes with it.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import random
import time
from collections import deque
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from attrs import frozen

from pipeflow.credentials.credential import Authorization
from pipeflow.credentials.lifetime import Lifetime
from pipeflow.credentials.oauth_tokens import OAuthTokens
from pipeflow.credentials.redaction import hiding_secrets
from pipeflow.credentials.secret import Secret
from pipeflow.errors import (
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    TokenStoreError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from yarl import URL

    from pipeflow.credentials.token_stores import TokenStore

__all__ = ["OAuthCredential", "Refresh"]

_log = logging.getLogger("pipeflow")

STORE_TIMEOUT: Final = 60.0
"""Seconds for a store to give its lock, to load or to save. A refresh by another process is over
after 30 s at the latest."""

YOUNG: Final = 60.0
"""Seconds. A new token that is refused within them is refused for another reason than its age, and
the next would be, too."""

_LONGEST_PAUSE: Final = 60.0
"""Seconds between two refreshes of which the first failed, unless the server asks for more."""

_TOKENS_KEPT: Final = 12
"""How many of the last tokens are kept out of errors: requests under way may have old ones."""

_refreshing_task: ContextVar[asyncio.Task[None] | None] = ContextVar("_refreshing", default=None)
"""The refresh within which this code runs: a store's `save` may use the very session."""


class Refresh(Protocol):
    """Trades tokens for new ones, in one request; `OAuthApp.refresh` with its HTTP client."""

    async def __call__(self, tokens: OAuthTokens) -> OAuthTokens:
        """The new tokens."""
        ...


@frozen
class _Held:
    """The tokens in use."""

    tokens: OAuthTokens
    authorization: Authorization
    lifetime: Lifetime
    got_at: float | None
    """When this very object refreshed them, by the monotonic clock; None for loaded ones."""


@frozen
class _Unsaved:
    """New tokens that could not be saved yet, and those that they were got for."""

    spent: OAuthTokens
    new: OAuthTokens


class OAuthCredential:
    """Authenticates with the access token of one company.

    Some minutes before the access token expires, a refresh begins in the background while requests
    go on with the old one. Only where it has expired, or was refused with a 401, do requests wait.
    Of all tasks and, by the store's lock, of all processes, one refreshes; the others take its
    tokens. A refresh that fails is not repeated at once: until then, requests fail with its error,
    unless the old access token still holds.

    Args:
        store: Where the tokens are.
        refresh: Trades them for new ones.
        secrets: Gives the app's own secrets.
        clock: A monotonic clock in seconds.
        now: The wall clock, as an aware time.
        random: The source of the jitter, from 0 to 1.
    """

    def __init__(
        self,
        store: TokenStore,
        refresh: Refresh,
        *,
        secrets: Callable[[], Iterable[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._refresh = refresh
        self._app_secrets = secrets
        self._clock = clock
        self._now = now
        self._random = random
        self._held: _Held | None = None
        self._unsaved: _Unsaved | None = None
        self._dead: Secret | None = None
        self._seen: deque[Secret] = deque(maxlen=_TOKENS_KEPT)
        self._task: asyncio.Task[None] | None = None
        self._failure: PipeflowError | None = None
        self._failures = 0
        self._not_before = 0.0

    def __repr__(self) -> str:
        return f"<OAuthCredential for {self.base_url or 'tokens not yet loaded'}>"

    @property
    def base_url(self) -> URL | None:
        """The address that requests begin with, once the tokens are loaded."""
        return self._held.authorization.base_url if self._held else None

    def secrets(self) -> Iterable[str]:
        """The app's secrets, and the latest access and refresh tokens."""
        return (*self._app_secrets(), *self._seen)

    async def authorization(self) -> Authorization:
        """The access token, refreshed if it has expired.

        Cancelling is safe: a refresh under way goes on by itself.

        Raises:
            ReauthorizationRequiredError: The refresh token is dead, or the store is empty.
            TokenStoreError: The store failed.
            PipeflowError: The refresh failed otherwise; a later request tries again.
        """
        held = self._held
        now = self._clock()
        if held is None or now >= held.lifetime.ends_at:
            held = await self._renewed(None)
        elif now >= max(held.lifetime.refresh_at, self._not_before) and not self._running_task():
            self._start(None)
        return held.authorization

    async def refresh(self, refused: Authorization) -> bool:
        """Refreshes, if the refused token is still the current one.

        A token that is refused although it is brand-new is not refreshed again.

        Raises:
            PipeflowError: As `authorization`.
        """
        held = self._held
        if held is None or held.authorization.headers != refused.headers:
            return True
        if held.got_at is not None and self._clock() - held.got_at < YOUNG:
            return False
        await self._renewed(held.tokens.access_token)
        return True

    async def close(self) -> None:
        """Waits for a refresh under way, and saves what is not saved yet.

        Raises:
            TokenStoreError: New tokens could not be saved: they are lost.
        """
        task = self._running_task()
        if task is not None:
            if task is _refreshing_task.get():
                return
            await asyncio.wait([task])
        if self._unsaved is not None:
            self._not_before = 0.0
            await self._renewed(None, only_save=True)

    # One refresh at a time

    async def _renewed(self, refused: Secret | None, *, only_save: bool = False) -> _Held:
        """The tokens after a refresh, by whichever task began it."""
        while True:
            task = self._running_task()
            ours = task is None
            if task is None:
                self._raise_recent_failure()
                task = self._start(refused, only_save=only_save)
            elif task is _refreshing_task.get():
                return self._held_within_refresh()
            await self._outcome(task)
            held = self._held
            if held is not None and (ours or self._is_better(held, refused)):
                return held

    def _is_better(self, held: _Held, refused: Secret | None) -> bool:
        return held.tokens.access_token != refused and self._clock() < held.lifetime.ends_at

    def _running_task(self) -> asyncio.Task[None] | None:
        """The refresh under way: none that has just ended, or was left behind by a closed loop."""
        task = self._task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            return None
        return task

    def _start(self, refused: Secret | None, *, only_save: bool = False) -> asyncio.Task[None]:
        task = asyncio.create_task(self._renew(refused, only_save=only_save))
        self._task = task
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled():
            task.exception()  # nobody may be waiting for it, and it is in the log

    async def _outcome(self, task: asyncio.Task[None]) -> None:
        """Waits for a refresh without taking it along when this request is cancelled."""
        stopped: PipeflowError
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            waiter = asyncio.current_task()
            if not task.cancelled() or (waiter and waiter.cancelling()):
                raise
            stopped = TransportError("the refresh of the OAuth tokens was cancelled")
        except PipeflowError as error:
            stopped = _copied(error)
        else:
            return
        raise stopped

    def _held_within_refresh(self) -> _Held:
        if self._held is not None and self._clock() < self._held.lifetime.ends_at:
            return self._held
        raise TokenStoreError(
            "the token store uses the session whose tokens it is saving, and the old ones have "
            "expired; use the session after save() has returned"
        )

    def _raise_recent_failure(self) -> None:
        if self._failure is not None and self._clock() < self._not_before:
            raise _copied(self._failure)

    # The refresh itself, in a task of its own

    async def _renew(self, refused: Secret | None, *, only_save: bool) -> None:
        _refreshing_task.set(asyncio.current_task())
        try:
            with hiding_secrets(self.secrets):
                if only_save:
                    async with self._locked():
                        self._hold(await self._with_unsaved(await self._load()))
                else:
                    await self._load_or_refresh(refused)
        except PipeflowError as error:
            self._note_failure(error)
            raise
        self._failure = None
        self._failures = 0

    def _note_failure(self, error: PipeflowError) -> None:
        self._failures += 1
        pause = min(2.0 ** (self._failures - 1), _LONGEST_PAUSE) * (1 + self._random()) / 2
        if isinstance(error, ReauthorizationRequiredError):
            pause = 1.0  # new tokens may be in the store at any moment, and looking costs little
        elif isinstance(error, RateLimitError) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        self._failure = error
        self._not_before = self._clock() + pause
        _log.warning("OAuth tokens could not be refreshed; next try in %.1f s: %s", pause, error)

    async def _load_or_refresh(self, refused: Secret | None) -> None:
        if self._held is None and self._unsaved is None:
            tokens = await self._load()
            if self._clock() < self._lifetime(tokens).ends_at:
                self._hold(tokens)
                return
        async with self._locked():
            tokens = await self._with_unsaved(await self._load())
            if self._is_fresh(tokens, refused):
                self._hold(tokens)
            else:
                await self._refresh_or_load(tokens, refused)

    def _is_fresh(self, tokens: OAuthTokens, refused: Secret | None) -> bool:
        is_due = self._clock() >= self._lifetime(tokens).refresh_at
        return not is_due and tokens.access_token != refused

    async def _refresh_or_load(self, tokens: OAuthTokens, refused: Secret | None) -> None:
        if tokens.refresh_token == self._dead:
            raise _dead_refresh_token(tokens)
        try:
            await self._refresh_and_save(tokens)
        except ReauthorizationRequiredError as error:
            # Somebody may have saved others without the lock. They are used as any others.
            found = await self._load()
            if found.access_token != tokens.access_token and self._is_fresh(found, refused):
                self._hold(found)
            elif found.refresh_token != tokens.refresh_token:
                await self._refresh_and_save(found)
            else:
                self._dead = tokens.refresh_token
                raise _dead_refresh_token(tokens) from error

    async def _refresh_and_save(self, tokens: OAuthTokens) -> None:
        new = await self._refresh(tokens)
        self._see(new)
        self._unsaved = _Unsaved(tokens, new)
        await self._save(new)
        self._unsaved = None
        self._hold(new, got_at=self._clock())
        _log.info("OAuth tokens for %s refreshed", new.api_domain)

    async def _with_unsaved(self, loaded: OAuthTokens) -> OAuthTokens:
        """The tokens to go on with, when some could not be saved before."""
        unsaved = self._unsaved
        if unsaved is None:
            return loaded
        newer = (
            loaded.access_token != unsaved.spent.access_token
            and loaded.expires_at >= unsaved.new.expires_at
        )
        if not newer:
            await self._save(unsaved.new)
        self._unsaved = None
        return loaded if newer else unsaved.new

    def _hold(self, tokens: OAuthTokens, *, got_at: float | None = None) -> None:
        self._held = _Held(
            tokens,
            Authorization(
                tokens.base_url, {"Authorization": Secret(f"Bearer {tokens.access_token!s}")}
            ),
            self._lifetime(tokens),
            got_at,
        )

    def _lifetime(self, tokens: OAuthTokens) -> Lifetime:
        """The same for the same tokens, however the wall clock jumps after they were loaded."""
        held = self._held
        if held is not None and held.tokens.access_token == tokens.access_token:
            return held.lifetime
        return Lifetime.until(
            tokens.expires_at, now=self._now(), clock=self._clock(), random=self._random()
        )

    def _see(self, tokens: OAuthTokens) -> None:
        for secret in (tokens.access_token, tokens.refresh_token):
            if secret in self._seen:
                self._seen.remove(secret)
            self._seen.append(secret)

    # The store

    async def _load(self) -> OAuthTokens:
        tokens: object = None
        try:
            async with asyncio.timeout(STORE_TIMEOUT):
                tokens = await self._store.load()
        except LookupError:
            failure: PipeflowError = ReauthorizationRequiredError(
                "the token store holds no tokens: authorize the app first", status=401
            )
        except OSError as error:
            raise _store_error("load", error) from error
        except Exception as error:  # noqa: BLE001 - it may quote tokens that nobody knows yet
            failure = TokenStoreError(f"the token store's load() failed: {type(error).__name__}")
        else:
            if isinstance(tokens, OAuthTokens):
                self._see(tokens)
                return tokens
            given = type(tokens).__name__
            failure = TokenStoreError(f"the token store's load() gave {given}, not OAuthTokens")
        raise failure

    async def _save(self, tokens: OAuthTokens) -> None:
        async with _store_call("save"):
            await self._store.save(tokens)

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None, None]:
        async with _store_call("lock"):
            lock = self._store.lock()
            await lock.__aenter__()
        try:
            yield
        finally:
            try:
                await lock.__aexit__(None, None, None)
            except Exception as error:  # noqa: BLE001 - the tokens are saved by now
                _log.warning("the token store's lock was not released: %s", type(error).__name__)


@asynccontextmanager
async def _store_call(what: str) -> AsyncGenerator[None, None]:
    """Turns what a store raises into ours, and bounds its time."""
    try:
        async with asyncio.timeout(STORE_TIMEOUT):
            yield
    except PipeflowError:
        raise
    except Exception as error:
        raise _store_error(what, error) from error


def _store_error(what: str, error: Exception) -> TokenStoreError:
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return TokenStoreError(f"the token store's {what}() failed: {reason}")


def _dead_refresh_token(tokens: OAuthTokens) -> ReauthorizationRequiredError:
    return ReauthorizationRequiredError(
        f"the refresh token for {tokens.api_domain} is dead (invalid_grant): the app was removed, "
        "or the token was not used for 60 days; authorize the app again",
        status=400,
        error="invalid_grant",
    )


def _copied(error: PipeflowError) -> PipeflowError:
    """An error for one of many that wait: each gets a `resume_start` and a traceback of its own."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied
