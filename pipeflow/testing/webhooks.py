"""Sending webhooks as Pipedrive does: late answers, three more tries, and a ban in the end.

Source: pipedrive.readme.io, "Guide for webhooks v2".
"""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
from attrs import frozen

from pipeflow.testing.webhook_bodies import webhook_bodies

if TYPE_CHECKING:
    from datetime import datetime

    from pipeflow.testing.clock import Clock
    from pipeflow.testing.happenings import Happening
    from pipeflow.testing.webhook_bodies import WebhookVersion

__all__ = ["Webhook", "WebhookAttempt"]

_WAITS: Final = (0.0, 3.0, 30.0, 150.0)
"""Seconds before each try."""

_FAILURES_TO_BAN: Final = 10
_BAN: Final = timedelta(minutes=30)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen
class WebhookAttempt:
    """One try to deliver a webhook.

    Attributes:
        body: What was sent.
        attempt: Which try it was, the first being 1.
        status: The status of the answer, or None without one in time.
        at: When it ended.
    """

    body: dict[str, Any]
    attempt: int
    status: int | None
    at: datetime

    @property
    def delivered(self) -> bool:
        """Whether the answer said that it was taken."""
        return self.status is not None and 200 <= self.status < 300


class Webhook:
    """A webhook that `FakePipedrive.send_webhooks` has set up.

    Attributes:
        attempts: Every try to deliver, in the order in which they ended.
        lost: The bodies that were never sent, because the webhook was banned.
    """

    def __init__(
        self,
        url: str,
        *,
        version: WebhookVersion,
        credentials: str | None,
        answer_within: float,
        twice: bool,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        if urlsplit(url).hostname not in _LOOPBACK:
            raise ValueError("the fake sends webhooks to a loopback address only")
        self.attempts: list[WebhookAttempt] = []
        self.lost: list[dict[str, Any]] = []
        self._url = url
        self._version: WebhookVersion = version
        self._headers = {"User-Agent": "Pipedrive Webhooks"}
        if credentials is not None:
            encoded = base64.b64encode(credentials.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"
        self._answer_within = aiohttp.ClientTimeout(answer_within)
        self._twice = twice
        self._clock = clock
        self._failures = 0
        self._banned_until: datetime | None = None
        self._loop = loop
        self._closed = False
        self._client: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_banned(self) -> bool:
        """Whether ten first tries have failed in a row, less than half an hour ago."""
        return self._banned_until is not None and self._clock.now() < self._banned_until

    def tell(self, happening: Happening) -> None:
        """Send all that there is to say of it. May be called from any thread."""
        for body in webhook_bodies(happening, self._version):
            for _ in range(2 if self._twice else 1):
                self._loop.call_soon_threadsafe(self._begin, body)

    def _begin(self, body: dict[str, Any]) -> None:
        if self._closed:  # what was told while it closed
            return
        task = self._loop.create_task(self._deliver(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, body: dict[str, Any]) -> None:
        if self.is_banned:
            self.lost.append(body)
            return
        for attempt, wait in enumerate(_WAITS, start=1):
            await self._clock.sleep(wait)
            tried = await self._try(body, attempt)
            self.attempts.append(tried)
            if attempt == 1:
                self._failures = 0 if tried.delivered else self._failures + 1
            if self._failures == _FAILURES_TO_BAN:
                self._failures = 0
                self._banned_until = self._clock.now() + _BAN
            if tried.delivered:
                return

    async def _try(self, body: dict[str, Any], attempt: int) -> WebhookAttempt:
        if self._client is None:
            self._client = aiohttp.ClientSession()
        if self._version == "2.0":
            body = body | {"meta": body["meta"] | {"attempt": attempt}}
        else:
            body = body | {"retry": attempt - 1}
        status = None
        try:
            async with self._client.post(
                self._url,
                json=body,
                headers=self._headers,
                timeout=self._answer_within,
                allow_redirects=False,
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        return WebhookAttempt(body, attempt, status, self._clock.now())

    async def close(self) -> None:
        """Send no more."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None
