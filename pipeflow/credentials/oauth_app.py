"""A marketplace app: where its users grant access, and where it trades a code for tokens."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections import deque
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import msgspec

from pipeflow.addresses import checked_url, parsed_url
from pipeflow.answers import Answer
from pipeflow.arguments import check_seconds
from pipeflow.cookies import keep_cookies_out
from pipeflow.credentials.oauth_tokens import OAuthTokens, read_tokens
from pipeflow.credentials.redaction import Redaction, hiding_secrets
from pipeflow.credentials.secret import Secret, checked_secret, hiding_arguments
from pipeflow.errors import (
    AuthenticationError,
    AuthorizationCallbackError,
    DecodeError,
    PipeflowError,
    RateLimitError,
    ReauthorizationRequiredError,
    RequestTimeoutError,
)
from pipeflow.failures import error_from

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession

__all__ = ["OAuthApp"]

AUTHORIZE_URL: Final = "https://oauth.pipedrive.com/oauth/authorize"
TOKEN_URL: Final = "https://oauth.pipedrive.com/oauth/token"  # noqa: S105 - an address

_MARKETPLACE = "the app's page in Pipedrive's developer hub"

_LARGEST_ANSWER: Final = 2**16
"""Bytes. A token answer has about one thousand."""

_CODES_KEPT: Final = 8
"""How many of the last codes are kept out of errors. Each dies within minutes."""


class OAuthApp:
    """An app of Pipedrive's marketplace, which is given access by the users of many companies.

    Source: Pipedrive's guide, "OAuth authorization" (`marketplace-oauth-authorization`).

    Args:
        client_id: The app's id.
        client_secret: The app's secret. It goes to `token_url` only.
        redirect_uri: Where the browser comes back to, exactly as registered.
        authorize_url: The consent page; another one for tests.
        token_url: Where codes and refresh tokens are traded in; another one for tests.
        timeout: Seconds for one token request.

    Raises:
        ValueError: An argument is empty, or a URL is not https (http only to loopback).
        TypeError: An argument is of another type.
    """

    @hiding_arguments
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        redirect_uri: str,
        authorize_url: str = AUTHORIZE_URL,
        token_url: str = TOKEN_URL,
        timeout: float = 30.0,
    ) -> None:
        self._client_id = str(checked_secret("client_id", client_id, source=_MARKETPLACE))
        if ":" in self._client_id:
            raise ValueError("client_id must not contain a colon")
        self._client_secret = checked_secret("client_secret", client_secret, source=_MARKETPLACE)
        if not isinstance(redirect_uri, str):
            raise TypeError(f"redirect_uri must be a string, not {type(redirect_uri).__name__}")
        if not parsed_url("redirect_uri", redirect_uri).absolute:
            raise ValueError("redirect_uri must be an absolute URL, as registered with the app")
        check_seconds("timeout", timeout)
        self._redirect_uri = redirect_uri
        self._authorize_url = checked_url("authorize_url", authorize_url)
        self._token_url = checked_url("token_url", token_url)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._codes: deque[Secret] = deque(maxlen=_CODES_KEPT)

    def __repr__(self) -> str:
        return f"<OAuthApp {self._client_id}>"

    def secrets(self) -> Iterable[str]:
        """The client secret and the latest authorization codes."""
        return (self._client_secret, *self._codes)

    def authorization_url(self, state: str) -> str:
        """Where to send the browser, so that the user can grant access.

        Args:
            state: An unguessable value, such as `secrets.token_urlsafe()`, kept with the
                user's browser session and compared when the browser comes back.

        Raises:
            ValueError: `state` is empty.
        """
        if not state:
            raise ValueError("state must not be empty: it is what a forged callback lacks")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "state": state,
        }
        return str(self._authorize_url.with_query(query))

    def read_callback(self, callback: str | Mapping[str, str], *, state: str) -> str:
        """The code that the browser brings back, once its `state` is the one that was sent.

        Args:
            callback: The URL of the browser's request to `redirect_uri`, or the parameters in its
                query.
            state: What `authorization_url` was given. It is compared in constant time.

        Raises:
            AuthorizationCallbackError: The user declined (`error` is `"access_denied"`), another
                error is reported, the state is another, or there is no code.
            ValueError: The expected `state` is empty.
        """
        if not state:
            raise ValueError("state must not be empty: an empty one fits every forged callback")
        said = _parameters(callback) if isinstance(callback, str) else dict(callback)
        if not hmac.compare_digest(said.get("state", "").encode(), state.encode()):
            raise AuthorizationCallbackError(
                "the callback's state is not the one that was sent: it belongs to another browser "
                "session, or is forged"
            )
        if error := said.get("error"):
            reason = error[:100]
            told = "the user declined" if error == "access_denied" else "Pipedrive refused"
            raise AuthorizationCallbackError(f"no access: {told} ({reason})", error=reason)
        try:
            code = checked_secret("code", said.get("code", ""), source="the callback")
        except ValueError:
            raise AuthorizationCallbackError(
                "the callback has neither a code nor an error"
            ) from None
        self._codes.append(code)
        return code

    async def exchange_code(
        self, code: str, *, session: ClientSession | None = None
    ) -> OAuthTokens:
        """Trades a code for the tokens of one company. A code works once, for some minutes.

        Args:
            code: What `read_callback` returned.
            session: An `aiohttp.ClientSession` to borrow, such as one with a proxy.

        Raises:
            ReauthorizationRequiredError: The code is spent, expired, or of another app.
            AuthenticationError: The client id or secret is refused.
            ApiError: The server refused or failed otherwise.
            DecodeError: The answer holds no tokens.
            TransportError: No whole answer came. The code may be spent.
        """
        code = checked_secret("code", code, source="the callback")
        self._codes.append(code)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
        }
        return await self._traded(form, session, None)

    async def refresh(
        self, tokens: OAuthTokens, *, session: ClientSession | None = None
    ) -> OAuthTokens:
        """Trades a refresh token for new tokens, in one request that is never repeated.

        A `PipedriveSession` does it by itself. Save what comes back before you use it: the old
        refresh token may be dead.

        Args:
            tokens: The tokens to refresh.
            session: An `aiohttp.ClientSession` to borrow.

        Raises:
            ReauthorizationRequiredError: The refresh token is dead.
            PipeflowError: As with `exchange_code`. Whether the refresh token was spent is then
                unknown unless the server said so: trying again later is right.
        """
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return await self._traded(form, session, tokens)

    async def _traded(
        self, form: Mapping[str, str], session: ClientSession | None, previous: OAuthTokens | None
    ) -> OAuthTokens:
        held = [*self.secrets()]
        if previous is not None:
            held += [previous.access_token, previous.refresh_token]
        with hiding_secrets(lambda: held):
            answer = await self._answer(form, session)
            if answer.status != 200:
                # Before a reason is cut to its length, and a secret in it perhaps with it.
                raise _refusal(Redaction(held).answer(answer), datetime.now(UTC))
            return read_tokens(answer.body, datetime.now(UTC), previous)

    async def _answer(self, form: Mapping[str, str], session: ClientSession | None) -> Answer:
        """The answer to one request to the token endpoint."""
        try:
            async with (
                _client(session) as client,
                client.post(
                    self._token_url,
                    data=form,
                    headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                    allow_redirects=False,
                    middlewares=(keep_cookies_out, self._authenticate),
                    raise_for_status=False,
                    timeout=self._timeout,
                ) as response,
            ):
                return Answer(response.status, response.headers, await _bounded_body(response))
        except aiohttp.ClientError as failure:
            raise error_from(failure, host=self._token_url.host) from failure
        except TimeoutError as failure:
            raise RequestTimeoutError(
                f"no whole answer from {self._token_url.host} in {self._timeout.total:g} s"
            ) from failure

    async def _authenticate(
        self, request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        """Sends the app's id and secret, whatever authentication a borrowed session has."""
        basic = b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode()
        request.headers["Authorization"] = Secret(f"Basic {basic}")
        del basic
        return await handler(request)


@asynccontextmanager
async def _client(session: ClientSession | None) -> AsyncGenerator[ClientSession, None]:
    if session is not None:
        yield session
    else:
        async with aiohttp.ClientSession() as own:
            yield own


async def _bounded_body(response: ClientResponse) -> bytes:
    body = b""
    async for part in response.content.iter_any():
        body += part
        if len(body) > _LARGEST_ANSWER:
            response.close()
            raise DecodeError("the token endpoint's answer is too large to be one")
    return body


def _refusal(answer: Answer, now: datetime) -> PipeflowError:
    """The error of an answer other than 200."""
    error = answer.error(now)
    said: dict[str, Any] = {
        "status": answer.status,
        "error": error.error,
        "error_info": error.error_info or _description(answer.body),
        "correlation_id": error.correlation_id,
    }
    if answer.status == 429:
        return RateLimitError(
            "429 from the token endpoint: its own limit, which is not that of the API",
            retry_after=answer.requested_wait(now),
            **said,
        )
    if answer.status < 500 and error.error == "invalid_grant":
        return ReauthorizationRequiredError(
            f"{answer.status} invalid_grant: the refresh token or code is expired, revoked or "
            "spent; authorize the app again",
            **said,
        )
    if answer.status == 401 or error.error == "invalid_client":
        return AuthenticationError(
            f"{answer.status} from the token endpoint: the app's client id or secret is refused",
            **said,
        )
    return error


def _description(body: bytes) -> str | None:
    try:
        said = msgspec.json.decode(body, type=dict[str, object]).get("error_description")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return said[:500] if isinstance(said, str) else None


def _parameters(callback: str) -> dict[str, str]:
    """The parameters in a URL's query; one that comes twice counts as missing."""
    pairs = parse_qsl(urlsplit(callback).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}
