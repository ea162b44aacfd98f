"""What a test, or a fault, may ask of the server and do to it while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipeflow.testing.account import Account
from pipeflow.testing.life import Life
from pipeflow.testing.log import RequestLog
from pipeflow.testing.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeflow.testing.api import Api
    from pipeflow.testing.listener import Listener
    from pipeflow.testing.requests import SeenRequest
    from pipeflow.testing.webhook_bodies import WebhookVersion

__all__ = ["Controls"]


class Controls(Account):
    """The side of `FakePipedrive` that a fault sees: its histories, limits and connections."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.store)
        self._api = api
        self._gateway = api.gateway
        self._log = RequestLog()
        self._tokens_forgotten = 0
        self._webhooks: list[Webhook] = []
        self._listener: Listener | None = None

    def _running(self) -> Listener:
        if self._listener is None:
            raise RuntimeError(
                "the fake is not running; use `async with FakePipedrive() as fake:`, or `with`"
            )
        return self._listener

    # What it was asked

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request since the start or `reset_counts()`, in the order of their arrival."""
        return self._log.requests

    @property
    def request_count(self) -> int:
        """How many requests came."""
        return self._log.count()

    @property
    def refused_count(self) -> int:
        """How many of them were answered with 429."""
        return self._log.count(429)

    @property
    def tokens_spent(self) -> int:
        """What they cost of the daily budget; refused ones (401, 403, 429) cost nothing."""
        return self._gateway.tokens_spent - self._tokens_forgotten

    def reset_counts(self) -> None:
        """Forget the requests so far. The limits still know them."""
        self._log.clear()
        self._tokens_forgotten = self._gateway.tokens_spent

    # Limits

    @property
    def burst_limit(self) -> int:
        """Requests in every window; may be changed at any time."""
        return self._gateway.burst.limit

    @burst_limit.setter
    def burst_limit(self, limit: int) -> None:
        self._gateway.burst.limit = limit

    @property
    def daily_budget(self) -> int | None:
        """Tokens of a day, the spent ones included, or None; may be changed at any time."""
        return self._gateway.daily.tokens

    @daily_budget.setter
    def daily_budget(self, tokens: int | None) -> None:
        self._gateway.daily.tokens = tokens

    @property
    def blocked(self) -> bool:
        """Whether every request gets Cloudflare's 403; may be changed at any time."""
        return self._gateway.blocked

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        self._gateway.blocked = blocked

    def use_allowance(self, count: int) -> int:
        """Let another program use `count` requests of the allowance, or what is left of it.

        Returns how many there were.
        """
        return self._gateway.burst.use(count, time.monotonic())

    # Pages

    @property
    def max_page_size(self) -> int:
        """What a greater `limit` is clamped to; may be changed at any time."""
        return self._api.max_page_size

    @max_page_size.setter
    def max_page_size(self, size: int) -> None:
        self._api.max_page_size = size

    # Life

    def live(
        self, *, rate: float = 1.0, seed: int = 0, persons: Iterable[int] | None = None
    ) -> Life:
        """Let things happen by themselves: records appear, are done, edited, moved and removed.

        ```python
        life = fake.live(rate=5, seed=7)
        ```

        Args:
            rate: How many things happen in a second of the clock, on average and by chance. At 0
                they only happen by `life.step()`.
            seed: The same seed makes the same things happen, in the same order.
            persons: To whom; to all by default.
        """
        life = Life(
            self, seed=seed, persons=self._store.ids("person") if persons is None else persons
        )
        if rate:
            self._running().spawn(self._go_on(life, rate))
        return life

    async def _go_on(self, life: Life, rate: float) -> None:
        while True:
            await self.clock.sleep(life.wait(rate))
            if life.stopped:
                return
            life.step()

    def send_webhooks(
        self,
        url: str,
        *,
        version: WebhookVersion = "2.0",
        user: str | None = None,
        password: str | None = None,
        answer_within: float = 10.0,
        twice: bool = False,
    ) -> Webhook:
        """Tell an address what happens from now on, as long as the fake runs.

        A try that fails is repeated after 3, 30 and 150 seconds of the clock, and ten first tries
        that fail in a row ban the webhook for half an hour, in which events are lost. With
        `fake.lag` a webhook comes before the flow shows what it tells. `insert` tells nothing.

        Args:
            url: Where to, on a loopback address.
            version: `"2.0"` or `"1.0"`.
            user: For HTTP Basic, with `password`.
            password: For HTTP Basic.
            answer_within: Real seconds in which an answer has to come.
            twice: Send everything twice, as may happen.
        """
        webhook = Webhook(
            url,
            version=version,
            credentials=None if user is None else f"{user}:{password or ''}",
            answer_within=answer_within,
            twice=twice,
            clock=self.clock,
            loop=self._running().loop,
        )
        self._webhooks.append(webhook)
        self._listeners.append(webhook.tell)
        return webhook

    async def _end_webhooks(self) -> None:
        self._listeners.clear()
        for webhook in self._webhooks:
            await webhook.close()
        self._webhooks.clear()

    # Connections

    def go_away(self, seconds: float) -> None:
        """Reset every connection and refuse new ones for some seconds, as the fault `Outage`."""
        self._running().go_away(seconds)
