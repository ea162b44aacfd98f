"""Where OAuth tokens are kept between requests, processes and restarts."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipeflow.credentials.file_lock import locked
from pipeflow.credentials.oauth_tokens import OAuthTokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

__all__ = ["FileTokenStore", "MemoryTokenStore", "TokenStore"]


@runtime_checkable
class TokenStore(Protocol):
    """Keeps the tokens of one company. Write one of your own for a database or a vault.

    A refresh goes: `lock()`, `load()`, one request, `save()`, and only then are the new tokens
    used. It may be that the old refresh token is dead by then, so `save` must have stored them for
    good when it returns.

    What these methods raise ends the request that needed the tokens with a `TokenStoreError`, and
    loses none: tokens that could not be saved are saved later.
    """

    async def load(self) -> OAuthTokens:
        """The tokens saved last.

        Raises:
            LookupError: There are none: the company has not been authorized yet.
        """
        ...

    async def save(self, tokens: OAuthTokens) -> None:
        """Stores the tokens in the place of the former ones, wholly or not at all."""
        ...

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Held during a refresh, so that of all that share the store one refreshes at a time.

        If its holder dies, it must become free by itself. `load` and `save` are called by the
        holder; they must not wait for it.
        """
        ...


class MemoryTokenStore:
    """Keeps the tokens in memory.

    Give it to all sessions of one company in one event loop. Where other processes have the same
    tokens, use a store that they share: each refresh may end the refresh token of the others.

    Args:
        tokens: The tokens to begin with.
        on_save: Called with the new tokens after each refresh, before they are first used; may be
            async. What it raises counts as not saved: it is called again later.
    """

    def __init__(
        self,
        tokens: OAuthTokens,
        on_save: Callable[[OAuthTokens], Awaitable[object] | object] | None = None,
    ) -> None:
        if not isinstance(tokens, OAuthTokens):
            raise TypeError(f"tokens must be OAuthTokens, not {type(tokens).__name__}")
        self._tokens = tokens
        self._on_save = on_save
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<MemoryTokenStore for {self._tokens.api_domain}>"

    async def load(self) -> OAuthTokens:
        """The tokens saved last."""
        return self._tokens

    async def save(self, tokens: OAuthTokens) -> None:
        """Calls `on_save` and keeps the tokens."""
        if self._on_save is not None:
            done = self._on_save(tokens)
            if isinstance(done, Awaitable):
                await done
        self._tokens = tokens

    def lock(self) -> AbstractAsyncContextManager[object]:
        """A lock between the tasks of one event loop."""
        return self._lock


class FileTokenStore:
    """Keeps the tokens in a file that only its owner can read, shared between processes.

    Each save replaces the file in one step, so a crash leaves the old tokens or the new ones. The
    lock is a second file beside it, `<name>.lock`, which stays; the operating system frees it when
    its holder dies. Both work between the processes of one machine, not on network file systems.

    Args:
        path: The file. Its folder is made when the first tokens are saved.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # A link stays a link: what it points to is replaced.
        self._path = Path(os.path.realpath(path))

    def __repr__(self) -> str:
        return f"FileTokenStore({str(self._path)!r})"

    async def load(self) -> OAuthTokens:
        """The tokens in the file.

        Raises:
            LookupError: There is no such file.
            ValueError: It holds something else. The message quotes nothing of it.
            OSError: It cannot be read.
        """
        return await asyncio.to_thread(self._read)

    async def save(self, tokens: OAuthTokens) -> None:
        """Replaces the file.

        Raises:
            OSError: It cannot be written; the former file is as it was.
        """
        await asyncio.to_thread(self._write, json.dumps(tokens.to_dict(), indent=2))

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None, None]:
        """A lock between tasks, threads and processes."""
        self._make_folder()
        async with locked(self._path.with_name(f"{self._path.name}.lock")):
            yield

    def _read(self) -> OAuthTokens:
        try:
            tokens = _tokens_in(self._path)
        except FileNotFoundError:
            raise LookupError(f"there is no file {self._path}") from None
        if tokens is None:
            raise ValueError(f"{self._path} does not hold OAuth tokens")
        return tokens

    def _write(self, text: str) -> None:
        self._make_folder()
        # Made with mode 0600, whatever the umask.
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(self._path.parent)

    def _make_folder(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _tokens_in(path: Path) -> OAuthTokens | None:
    """The tokens in a file. This frame holds their text, and no error of theirs passes it."""
    data = path.read_bytes()
    with suppress(ValueError, TypeError):
        said = json.loads(data)
        if isinstance(said, dict):
            return OAuthTokens.from_dict(said)
    return None


def _sync_folder(folder: Path) -> None:
    """Makes a replaced file outlive a power failure, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
