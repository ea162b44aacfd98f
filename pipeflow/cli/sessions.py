"""The session that a command asks: the user's own account, or a demo of one."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from pipeflow.cli.failures import WrongUsage
from pipeflow.cli.login import default_tokens_path, oauth_app, through_proxy
from pipeflow.credentials import FileTokenStore
from pipeflow.session import PipedriveSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

__all__ = ["DEMO_PERSON", "account_session", "demo_session"]

DEMO_PERSON: Final = 1101
"""Whose history `FakePipedrive` holds as it comes."""

_SETTINGS: Final = {
    "api_token": "PIPEDRIVE_API_TOKEN",
    "company_domain": "PIPEDRIVE_COMPANY_DOMAIN",
    "base_url": "--base-url",
}
"""Where the user gave what `PipedriveSession` names as its argument."""


def account_session(
    base_url: str | None, *, api_token_file: Path | None = None, tokens_file: Path | None = None
) -> PipedriveSession:
    """A session with the user's account, through the proxy that is set in the environment.

    It has the API token in `api_token_file`, the OAuth tokens in `tokens_file`, the API token in
    the environment, or the tokens that `pipeflow login` has left: the first of these that is
    there.

    Raises:
        WrongUsage: None of them is there, or one of the settings cannot be right.
    """
    if api_token_file is not None and tokens_file is not None:
        raise WrongUsage("give --api-token-file or --tokens, not both")
    if api_token_file is not None:
        return _token_session(_token_in(api_token_file), base_url)
    api_token = os.environ.get("PIPEDRIVE_API_TOKEN")
    if tokens_file is None and not api_token and default_tokens_path().exists():
        tokens_file = default_tokens_path()
    if tokens_file is not None:
        return _oauth_session(tokens_file, base_url)
    if not api_token:
        raise WrongUsage(
            "PIPEDRIVE_API_TOKEN is not set: it holds your API token, and "
            "PIPEDRIVE_COMPANY_DOMAIN the 'acme' of acme.pipedrive.com; --demo needs neither"
        )
    return _token_session(api_token, base_url)


def _token_session(api_token: str, base_url: str | None) -> PipedriveSession:
    domain = os.environ.get("PIPEDRIVE_COMPANY_DOMAIN") or None
    try:
        return PipedriveSession(
            api_token,
            company_domain=domain if base_url is None else None,
            base_url=base_url,
            # Plain http leads to this machine, and a proxy would read the token.
            trust_env=not (base_url or "").startswith("http:"),
        )
    except ValueError as error:
        raise WrongUsage(_in_the_users_words(str(error))) from error


def _token_in(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise WrongUsage(f"--api-token-file {path} cannot be read: {reason}") from None


def _oauth_session(path: Path, base_url: str | None) -> PipedriveSession:
    if base_url is not None:
        raise WrongUsage("--base-url does not go with OAuth tokens, which name their own address")
    return PipedriveSession(
        oauth=oauth_app(), tokens=FileTokenStore(path), trust_env=through_proxy()
    )


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
