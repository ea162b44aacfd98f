"""Logging in with OAuth: the consent page in the browser, and its way back to this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import click

from pipeflow.addresses import parsed_url
from pipeflow.cli.failures import Failure, WrongUsage
from pipeflow.credentials import FileTokenStore, OAuthApp
from pipeflow.errors import AuthorizationCallbackError, PipeflowError

if TYPE_CHECKING:
    from aiohttp import web

    from pipeflow.credentials import OAuthTokens

__all__ = ["DEFAULT_REDIRECT", "Login", "default_tokens_path", "oauth_app", "through_proxy"]

DEFAULT_REDIRECT: Final = "http://127.0.0.1:8765/callback"

_ID_VARIABLE: Final = "PIPEDRIVE_CLIENT_ID"
_SECRET_VARIABLE: Final = "PIPEDRIVE_CLIENT_SECRET"  # noqa: S105 - the variable's name
_SERVER_VARIABLE: Final = "PIPEDRIVE_OAUTH_URL"
_PIPEDRIVES_SERVER: Final = "https://oauth.pipedrive.com/oauth"

_LOOPBACK: Final = {
    "127.0.0.1": ["127.0.0.1"],
    "::1": ["::1"],
    "localhost": ["127.0.0.1", "::1"],
}
"""The hosts that lead to this machine, and where to listen for them."""

_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def default_tokens_path() -> Path:
    """Where tokens are kept unless another file is named."""
    return Path(click.get_app_dir("pipeflow")) / "tokens.json"


def oauth_app(redirect_uri: str = DEFAULT_REDIRECT) -> OAuthApp:
    """The app in the environment.

    Raises:
        WrongUsage: It is not there, or cannot be right.
    """
    client_id = os.environ.get(_ID_VARIABLE)
    client_secret = os.environ.get(_SECRET_VARIABLE)
    if not client_id or not client_secret:
        raise WrongUsage(
            f"{_ID_VARIABLE} and {_SECRET_VARIABLE} are not set: they hold the id and the secret "
            "of your app, from Pipedrive's developer hub"
        )
    server = os.environ.get(_SERVER_VARIABLE, _PIPEDRIVES_SERVER)
    try:
        return OAuthApp(
            client_id,
            client_secret,
            redirect_uri=redirect_uri,
            authorize_url=f"{server}/authorize",
            token_url=f"{server}/token",
        )
    except ValueError as error:
        message = str(error).replace("client_id", _ID_VARIABLE)
        message = message.replace("client_secret", _SECRET_VARIABLE)
        raise WrongUsage(message.replace("authorize_url", _SERVER_VARIABLE)) from error


def through_proxy() -> bool:
    """Whether the proxy of the environment is used.

    A server of plain http is on this machine, and a proxy would read the tokens.
    """
    return not os.environ.get(_SERVER_VARIABLE, _PIPEDRIVES_SERVER).startswith("http:")


class Login:
    """One login, from the browser's start to the tokens in their file.

    Args:
        redirect_uri: Where the browser comes back to, as registered with the app: an address of
            this machine.
        path: The file for the tokens.

    Raises:
        WrongUsage: The address leads elsewhere, or the app cannot be right.
    """

    def __init__(self, redirect_uri: str, path: Path) -> None:
        try:
            self._back = parsed_url("--redirect-uri", redirect_uri)
        except ValueError as error:
            raise WrongUsage(str(error)) from error
        if self._back.scheme != "http" or self._back.host not in _LOOPBACK:
            raise WrongUsage(
                f"--redirect-uri must be an http:// address of this machine, such as "
                f"{DEFAULT_REDIRECT}, which your app has registered"
            )
        self._hosts = _LOOPBACK[self._back.host]
        self._app = oauth_app(redirect_uri)
        self._store = FileTokenStore(path)
        self._state = secrets.token_urlsafe()
        self._is_exchanging = False

    async def tokens(self, *, in_browser: bool, timeout: float) -> OAuthTokens:  # noqa: ASYNC109
        """Waits for the user and saves the tokens.

        Args:
            in_browser: Whether to open the browser, or only to name the address.
            timeout: Seconds to wait for the user.

        Raises:
            Failure: The user declined or did not come, the tokens could not be had or saved, or
                the port is taken.
        """
        # Only here: the server's half of aiohttp takes time to import.
        from aiohttp import web  # noqa: PLC0415

        outcome: asyncio.Future[OAuthTokens] = asyncio.get_running_loop().create_future()

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            status, text = await self._answer(request, outcome)
            page = f"<!doctype html><title>pipeflow</title><p>{text}</p>"
            return web.Response(
                status=status, text=page, content_type="text/html", headers=_HEADERS
            )

        runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=1.0)
        await runner.setup()
        try:
            await self._listen(runner)
            address = self._app.authorization_url(self._state)
            click.echo(f"Allow the access in your browser:\n\n    {address}\n", err=True)
            if in_browser:
                webbrowser.open(address)
            async with asyncio.timeout(timeout):
                return await outcome
        except TimeoutError:
            raise Failure(f"nobody has allowed the access within {timeout:g} s") from None
        except PipeflowError as error:
            raise Failure(str(error)) from error
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.ServerRunner) -> None:
        from aiohttp import web  # noqa: PLC0415 - as above

        refusals = []
        for host in self._hosts:
            try:
                await web.TCPSite(runner, host, self._back.port).start()
            except OSError as error:
                refusals.append(error.strerror)
        if len(refusals) == len(self._hosts):
            raise Failure(
                f"cannot listen on port {self._back.port} for the way back: {refusals[0]}"
            )

    async def _answer(
        self, request: web.BaseRequest, outcome: asyncio.Future[OAuthTokens]
    ) -> tuple[int, str]:
        """The status and the text of the page that the browser gets."""
        if request.method != "GET" or request.path != self._back.path:
            return 404, "There is nothing here."
        if self._is_exchanging or outcome.done():
            return 200, "This login has taken place. You can close this page."
        try:
            code = self._app.read_callback(str(request.rel_url), state=self._state)
        except AuthorizationCallbackError as error:
            if error.error is None:
                return 400, "This is not the answer to the login that is waiting."
            outcome.set_exception(error)
            return 200, "The access was not allowed. You can close this page."
        self._is_exchanging = True
        try:
            async with aiohttp.ClientSession(trust_env=through_proxy()) as client:
                tokens = await self._app.exchange_code(code, session=client)
            await self._store.save(tokens)
        except (PipeflowError, OSError) as error:
            outcome.set_exception(_in_words(error))
            return 200, "The login has failed. The terminal says why."
        outcome.set_result(tokens)
        return 200, "You are logged in. You can close this page."


def _in_words(error: PipeflowError | OSError) -> PipeflowError | Failure:
    if isinstance(error, PipeflowError):
        return error
    return Failure(f"the tokens cannot be saved: {error.strerror or error}")
