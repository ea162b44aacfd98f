"""One GET through the middlewares, over a connection pool that is our own or borrowed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from pipeflow.answers import Answer
from pipeflow.errors import RequestTimeoutError, TransportError
from pipeflow.failures import error_from, quotes_an_answer
from pipeflow.middleware.bodies import read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yarl import URL

    from pipeflow.credentials import Credential
    from pipeflow.middleware import RetryMiddleware
    from pipeflow.middleware.stack import Stack

__all__ = ["Connection"]

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)
"""aiohttp's clock would count waits inside middlewares; `AttemptMiddleware` times each attempt."""

_BORROWED_IS_CLOSED = "the aiohttp.ClientSession that this PipedriveSession borrows is closed"

_MOST_TURNS_TO_END = 20
"""Turns of the event loop. A cancelled request ends in a few, unless a middleware of the user's
holds it up."""


class Connection:
    """Sends requests and, where it made its own `aiohttp.ClientSession`, closes it.

    Args:
        borrowed: The caller's session, never closed here; None makes one on first use.
        credential: Knows the address that requests begin with.
        stack: The middlewares that every request passes. (They replace a borrowed session's own,
            as aiohttp has it.)
        deadline: Seconds for one request with all its attempts and waits; None means no limit.
        trust_env: Whether a session of its own takes proxies from the environment.
    """

    def __init__(
        self,
        borrowed: aiohttp.ClientSession | None,
        credential: Credential,
        stack: Stack,
        *,
        deadline: float | None = None,
        trust_env: bool = False,
    ) -> None:
        self._borrowed = borrowed
        self._credential = credential
        self._own: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stack = stack
        self._deadline = deadline
        self._trust_env = trust_env
        self._under_way: dict[asyncio.Timeout, asyncio.AbstractEventLoop] = {}
        self.closed: bool = False

    async def get(
        self,
        url_from: Callable[[URL], URL],
        parameters: Mapping[str, str],
        retry: RetryMiddleware,
    ) -> Answer:
        """The answer to one GET, whatever its status. A redirect is not followed.

        Args:
            url_from: Makes the address, without a query, of the base URL.
            parameters: The query.
            retry: How often the request is attempted.

        Raises:
            TransportError: No whole answer came, or the borrowed session is closed.
            DecodeError: The answer is too large or in an unknown encoding.
            RuntimeError: The connection is closed, or belongs to another event loop.
        """
        client = self.client()
        deadline = asyncio.timeout(self._deadline)
        self._under_way[deadline] = asyncio.get_running_loop()
        try:
            async with deadline:
                url = url_from((await self._credential.authorization()).base_url)
                return await self._answer(client, url, parameters, retry)
        except Exception as failure:
            if self.closed:
                raise TransportError(
                    "this PipedriveSession was closed while a request was under way"
                ) from failure
            if client.closed:
                raise TransportError(_BORROWED_IS_CLOSED) from failure
            if deadline.expired():
                raise RequestTimeoutError(
                    f"no whole answer within the deadline of {self._deadline:g} s, attempts and "
                    "waits included"
                ) from failure
            raise
        finally:
            del self._under_way[deadline]

    async def _answer(
        self,
        client: aiohttp.ClientSession,
        url: URL,
        parameters: Mapping[str, str],
        retry: RetryMiddleware,
    ) -> Answer:
        try:
            async with client.get(
                url,
                params=parameters,
                headers={"Accept": "application/json", "Accept-Encoding": "gzip"},
                allow_redirects=False,
                middlewares=self._stack.within(retry),
                raise_for_status=False,
                timeout=_NO_TIMEOUT,
            ) as response:
                return Answer(response.status, response.headers, await read_body(response) or b"")
        except aiohttp.ClientError as failure:
            # aiohttp turns any OSError that a middleware lets out into a ClientOSError. Ours let
            # none out, so it is another's, perhaps about a file, and not about this request.
            theirs = failure.__cause__ if type(failure) is aiohttp.ClientOSError else None
            if theirs is None:
                if quotes_an_answer(failure):
                    raise
                raise error_from(failure, host=url.host) from failure
        raise theirs

    async def close(self) -> None:
        """Ends what is under way and closes the connections, unless they are borrowed.

        Closing twice does nothing.
        """
        self.closed = True
        for deadline, loop in self._under_way.items():
            if loop is asyncio.get_running_loop() and not deadline.expired():
                deadline.reschedule(0.0)
        # They must end before their connections do: aiohttp cannot cope with the reverse.
        for _ in range(_MOST_TURNS_TO_END):
            if not self._under_way:
                break
            await asyncio.sleep(0)
        if self._own is not None:
            await self._own.close()

    def client(self) -> aiohttp.ClientSession:
        """The session that requests go through, made on first use unless it is borrowed.

        Raises:
            RuntimeError: The connection is closed, or belongs to another event loop.
        """
        if self.closed:
            raise RuntimeError("this PipedriveSession is closed")
        if self._borrowed is not None:
            if self._borrowed.closed:
                raise TransportError(_BORROWED_IS_CLOSED)
            return self._borrowed
        loop = asyncio.get_running_loop()
        if self._own is None:
            self._loop = loop
            # The burst limit bounds how many connections are needed, so the pool need not.
            self._own = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), trust_env=self._trust_env
            )
        elif self._loop is not loop:
            raise RuntimeError(
                "this PipedriveSession belongs to another event loop; make one per asyncio.run(), "
                "with 'async with' inside the coroutine that it runs"
            )
        return self._own
