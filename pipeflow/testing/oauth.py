"""Pipedrive's OAuth server without a socket: the consent page, codes, tokens, and their end."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import b64decode
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, urlencode

from attrs import define, field

from pipeflow.testing.answers import Answer, html_answer
from pipeflow.testing.limits import RollingWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    class _Fault(Protocol):
        """As much of a fault as is asked of it here; the faults' own module knows the server."""

        def answer(self, answer: Answer) -> Answer: ...


__all__ = ["FakeOAuth"]

_JSON: Final = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}


@define
class _Grant:
    """What one user has granted: the tokens of one company."""

    access_tokens: dict[str, float] = field(factory=dict)
    """With the time at which each expires."""
    refresh_tokens: set[str] = field(factory=set)


class FakeOAuth:
    """The OAuth server of a `FakePipedrive(oauth=FakeOAuth())`.

    The user on its consent page decides at once: the browser is sent back as soon as it comes.

    Args:
        client_id: The app's id; a random one by default.
        client_secret: The app's secret; a random one by default.
        redirect_uri: Where the browser is sent back to.
        rotates: Whether each refresh ends the refresh token that it spends and brings a new one.
            Pipedrive's guide says both. Without, answers to a refresh repeat the old one.
        token_lifetime: Seconds that an access token lives.
        scopes: What the app asks for.
        burst_limit: Token requests in every two seconds; one more is refused with 429.
        clock: A monotonic clock in seconds.

    Attributes:
        consents: Whether the user on the consent page agrees.
        removed_status: What the API answers with once the app was removed: 402 or 403, or None as
            long as it is not. A removed app cannot refresh.
        token_requests: The `grant_type` of every token request that came, in their order.
    """

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        redirect_uri: str = "http://127.0.0.1:8080/callback",
        rotates: bool = True,
        token_lifetime: float = 3600.0,
        scopes: str = "base,recents:read",
        burst_limit: int = 80,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client_id: str = secrets.token_hex(8) if client_id is None else client_id
        self.client_secret: str = secrets.token_hex(20) if client_secret is None else client_secret
        self.redirect_uri = redirect_uri
        self.rotates = rotates
        self.token_lifetime = token_lifetime
        self.consents = True
        self.removed_status: int | None = None
        self.token_requests: list[str] = []
        self.origin = ""
        self._scopes = scopes
        self._clock = clock
        self._burst = RollingWindow(burst_limit, 2.0)
        self._grants: list[_Grant] = []
        self._codes: set[str] = set()
        self._script: deque[_Fault | None] = deque()

    @property
    def authorize_url(self) -> str:
        """The consent page."""
        return f"{self.origin}/oauth/authorize"

    @property
    def token_url(self) -> str:
        """Where codes and refresh tokens are traded in."""
        return f"{self.origin}/oauth/token"

    def script(self, *faults: _Fault | None) -> None:
        """Apply these to the answers to the next token requests, one each.

        What was asked for is done all the same: with `Disconnect()` a refresh token is spent and
        the new one lost on the way.
        """
        self._script.extend(faults)

    # What tests do to it

    def issue(self) -> dict[str, Any]:
        """A token answer, as if a user of another company had just installed the app."""
        grant = _Grant()
        self._grants.append(grant)
        return self._new_tokens(grant)

    def expire(self) -> None:
        """Let every access token expire now."""
        for grant in self._grants:
            grant.access_tokens.clear()

    def revoke(self) -> None:
        """End every token, as if the users had removed the app."""
        self._grants.clear()

    # What the API asks

    def refusal_of(self, token: str | None) -> int | None:
        """The status with which the API refuses a bearer token; None if it is valid."""
        now = self._clock()
        if not any(grant.access_tokens.get(token or "", now) > now for grant in self._grants):
            return 401
        return self.removed_status

    # What clients ask

    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        """The answer to a request below `/oauth/`."""
        if path == "/oauth/authorize" and method == "GET":
            return self._consent(query)
        if path == "/oauth/token" and method == "POST":
            form = {name: values[-1] for name, values in parse_qs(body.decode("latin-1")).items()}
            answer = self._token_answer(headers.get("Authorization", ""), form)
            fault = self._script.popleft() if self._script else None
            return answer if fault is None else fault.answer(answer)
        return html_answer(404, "<html>Not found</html>")

    def _consent(self, query: Mapping[str, str]) -> Answer:
        if (query.get("client_id"), query.get("redirect_uri")) != (
            self.client_id,
            self.redirect_uri,
        ):
            return html_answer(400, "<html>The client or the redirect URI is unknown</html>")
        said = {"state": query.get("state", "")}
        if self.consents:
            code = secrets.token_hex(20)
            self._codes.add(code)
            said["code"] = code
        else:
            said["error"] = "access_denied"
        location = f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{urlencode(said)}"
        return Answer(HTTPStatus.FOUND, b"", {"Location": location})

    def _token_answer(self, authorization: str, form: Mapping[str, str]) -> Answer:
        self.token_requests.append(form.get("grant_type", ""))
        if not self._burst.use(1, self._clock()):
            return _json_answer(429, {"error": "too many requests"}, {"Retry-After": "2"})
        if not self._is_the_app(authorization):
            return _json_answer(401, {"error": "invalid_client"})
        if form.get("grant_type") == "authorization_code":
            return self._exchanged(form)
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        return _json_answer(400, {"error": "unsupported_grant_type"})

    def _is_the_app(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = b64decode(encoded, validate=True)
        except ValueError:
            return False
        expected = f"{self.client_id}:{self.client_secret}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, expected)

    def _exchanged(self, form: Mapping[str, str]) -> Answer:
        code = form.get("code", "")
        if code not in self._codes or form.get("redirect_uri") != self.redirect_uri:
            return _invalid_grant()
        self._codes.remove(code)
        return _json_answer(200, self.issue())

    def _refreshed(self, refresh_token: str) -> Answer:
        for grant in self._grants:
            if refresh_token in grant.refresh_tokens and self.removed_status is None:
                return _json_answer(200, self._new_tokens(grant, refresh_token))
        return _invalid_grant()

    def _new_tokens(self, grant: _Grant, spent: str | None = None) -> dict[str, Any]:
        access_token = f"v1u:{secrets.token_urlsafe(48)}+/="
        grant.access_tokens[access_token] = self._clock() + self.token_lifetime
        refresh_token = spent
        if spent is None or self.rotates:
            refresh_token = f"1:2:{secrets.token_hex(20)}"
            grant.refresh_tokens = {refresh_token}
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.token_lifetime,
            "refresh_token": refresh_token,
            "scope": self._scopes,
            "api_domain": self.origin,
        }


def _json_answer(status: int, said: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(said).encode(), {**_JSON, **(headers or {})})


def _invalid_grant() -> Answer:
    said = {
        "success": False,
        "error": "invalid_grant",
        "error_description": "the grant is invalid, expired, revoked or already exchanged",
    }
    return _json_answer(400, said)
