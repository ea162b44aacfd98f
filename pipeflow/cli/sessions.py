"""The session that a command asks: the user's own account, or a demo of one."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pipeflow.cli.failures import WrongUsage
from pipeflow.session import PipedriveSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["DEMO_PERSON", "account_session", "demo_session"]

DEMO_PERSON: Final = 1101
"""Whose history `FakePipedrive` holds as it comes."""

_SETTINGS: Final = {
    "api_token": "PIPEDRIVE_API_TOKEN",
    "company_domain": "PIPEDRIVE_COMPANY_DOMAIN",
    "base_url": "--base-url",
}
"""Where the user gave what `PipedriveSession` names as its argument."""


def account_session(base_url: str | None) -> PipedriveSession:
    """A session with the token in the environment, through the proxy that is set there.

    Raises:
        WrongUsage: The token is missing, or one of the settings cannot be right.
    """
    if not os.environ.get("PIPEDRIVE_API_TOKEN"):
        raise WrongUsage(
            "PIPEDRIVE_API_TOKEN is not set: it holds your API token, and "
            "PIPEDRIVE_COMPANY_DOMAIN the 'acme' of acme.pipedrive.com; --demo needs neither"
        )
    try:
        if base_url is None:
            return PipedriveSession.from_env(trust_env=True)
        # Plain http leads to this machine, and a proxy would read the token.
        return PipedriveSession.from_env(
            base_url=base_url, trust_env=not base_url.startswith("http:")
        )
    except ValueError as error:
        raise WrongUsage(_in_the_users_words(str(error))) from error


def _in_the_users_words(message: str) -> str:
    for argument, setting in _SETTINGS.items():
        message = message.replace(argument, setting)
    return message


@asynccontextmanager
async def demo_session() -> AsyncGenerator[PipedriveSession, None]:
    """A session with a fake Pipedrive in this process, over a real socket."""
    # Only here: the server's half of aiohttp takes time to import.
    from pipeflow.testing import FakePipedrive  # noqa: PLC0415

    async with (
        FakePipedrive() as fake,
        PipedriveSession(fake.api_token, base_url=fake.base_url) as session,
    ):
        yield session
