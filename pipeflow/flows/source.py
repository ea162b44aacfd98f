"""Where a watch reads from: the walks of a session, and what their answers say beside the pages."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pipeflow.owners import Owner
from pipeflow.watching.checkpoint import Binding

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from pipeflow.answers import Answer
    from pipeflow.credentials import Authorization, Credential
    from pipeflow.owners import OwnerKind
    from pipeflow.reader import FlowReader
    from pipeflow.records import FlowPage
    from pipeflow.walking.plan import WalkPlan

__all__ = ["WatchedFlows", "account_of"]

_COMMON_HOST = "api.pipedrive.com"


class WatchedFlows:
    """The histories of one kind of owner, asked for in one way.

    Args:
        reader: Reads the pages.
        credential: Tells whose account it is.
        kind: Whose histories they are.
        plan: The filters.
        tokens_left: The tokens left today, as the last answer said.
        is_closed: Whether the session is closed.
    """

    def __init__(
        self,
        reader: FlowReader,
        credential: Credential,
        kind: OwnerKind,
        plan: WalkPlan,
        *,
        tokens_left: Callable[[], int | None],
        is_closed: Callable[[], bool],
    ) -> None:
        self._reader = reader
        self._credential = credential
        self._kind = kind
        self._plan = plan
        self._account: str | None = None
        self._server_time: datetime | None = None
        self.tokens_left = tokens_left
        self.closed = is_closed

    async def begin(self) -> None:
        """Learns whose account it is."""
        self._account = account_of(await self._credential.authorization())

    def walk(self, owner_id: int, first_page: int) -> AsyncGenerator[FlowPage, None]:
        """A walk through a history from its newest record, the first page of this size."""
        owner = Owner(self._kind, owner_id)
        return self._reader.polled_pages(owner, self._plan, first_page, heard=self._hear)

    def server_time(self) -> datetime:
        """The server's time when it gave the last answer; ours, should it not say."""
        return self._server_time or datetime.now(UTC)

    def binding(self, owner_id: int) -> Binding:
        """What the checkpoints of a history belong to."""
        owner = Owner(self._kind, owner_id)
        return Binding(
            account=self._account,
            owner=f"{self._kind.noun} {owner.id}",
            items=self._plan.items,
            all_changes=self._plan.all_changes,
        )

    def _hear(self, answer: Answer) -> None:
        try:
            told = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            self._server_time = None
        else:
            self._server_time = told if told.tzinfo else told.replace(tzinfo=UTC)


def account_of(authorization: Authorization) -> str:
    """A name for the company's account that does not tell a secret.

    It is the company's host or, with the address that all companies share, a hash of the token.
    """
    url = authorization.base_url
    if url.host != _COMMON_HOST:
        return str(url.host_port_subcomponent)
    secrets = "\n".join(authorization.headers.values())
    return f"token {hashlib.sha256(b'pipeflow:' + secrets.encode()).hexdigest()[:16]}"
