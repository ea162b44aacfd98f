"""One try of one request: the whole answer, within a time and a size."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["AttemptMiddleware"]


class AttemptMiddleware:
    """Reads the answer's whole body and bounds the try in time.

    The time runs from the sending of the request to the last byte of its body. It stands inside
    the retry and the rate limit, so that no wait of theirs counts: `ClientTimeout(total=…)` would
    count them.

    Args:
        timeout: Seconds for one try, or None for no bound.
    """

    def __init__(self, timeout: float | None = 30.0) -> None:
        self._timeout = timeout

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request and reads its answer whole."""
        try:
            async with asyncio.timeout(self._timeout) as attempt:
                response = await handler(request)
                await response.read()
        except TimeoutError as error:
            if attempt.expired():
                raise TimeoutError(f"attempt_timeout is {self._timeout:g} s") from error
            raise
        return response
