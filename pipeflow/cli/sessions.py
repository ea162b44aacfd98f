"""The session that a command asks: the user's own account, or a demo of one."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pipeflow.answers import REQUEST_TOKENS
from pipeflow.cli.failures import WrongUsage
from pipeflow.session import PipedriveSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.session import SessionOptions

__all__ = ["DEMO_PERSON", "RequestCount", "account_session", "demo_session"]

DEMO_PERSON: Final = 1101
"""Whose history `FakePipedrive` holds as it comes."""

_SETTINGS: Final = {
    "api_token": "PIPEDRIVE_API_TOKEN",
    "company_domain": "PIPEDRIVE_COMPANY_DOMAIN",
    "base_url": "--base-url",
}
"""Where the user gave what `PipedriveSession` names as its argument."""


class RequestCount:
    """An aiohttp client middleware that counts answers, those to repeated tries too."""

    def __init__(self) -> None:
        self.answered = 0
        self.refused = 0

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Passes the request on, and counts the answer."""
        response = await handler(request)
        self.answered += 1
        self.refused += response.status != 200
        return response

    def __str__(self) -> str:
        requests = "1 request" if self.answered == 1 else f"{self.answered:,} requests"
        # What a refused request costs is not published.
        most = "at most " if self.refused else ""
        return f"{requests} ({most}{self.answered * REQUEST_TOKENS:,} tokens)"


def account_session(base_url: str | None, count: RequestCount) -> PipedriveSession:
    """A session with the token in the environment.

    Raises:
        WrongUsage: The token is missing, or one of the settings cannot be right.
    """
    options: SessionOptions = {"middlewares": [count]}
    if base_url is not None:
        options["base_url"] = base_url
    if not os.environ.get("PIPEDRIVE_API_TOKEN"):
        raise WrongUsage(
            "PIPEDRIVE_API_TOKEN is not set: it holds your API token, and "
            "PIPEDRIVE_COMPANY_DOMAIN the 'acme' of acme.pipedrive.com; --demo needs neither"
        )
    try:
        return PipedriveSession.from_env(**options)
    except ValueError as error:
        raise WrongUsage(_in_the_users_words(str(error))) from error


def _in_the_users_words(message: str) -> str:
    for argument, setting in _SETTINGS.items():
        message = message.replace(argument, setting)
    return message


@asynccontextmanager
async def demo_session(count: RequestCount) -> AsyncGenerator[PipedriveSession, None]:
    """A session with a fake Pipedrive in this process, over a real socket."""
    # Only here: the server's half of aiohttp takes time to import.
    from pipeflow.testing import FakePipedrive  # noqa: PLC0415

    async with (
        FakePipedrive() as fake,
        PipedriveSession(fake.api_token, base_url=fake.base_url, middlewares=[count]) as session,
    ):
        yield session
