"""What an OAuth app holds for one company: the tokens, as a value."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from pipeflow.addresses import api_domain_base_url
from pipeflow.credentials.secret import Secret, checked_secret, hiding_arguments
from pipeflow.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from yarl import URL

__all__ = ["OAuthTokens", "read_tokens"]

_ANSWER = "the answer to the code or the refresh token"

USUAL_LIFETIME = 3600.0
"""Seconds that an access token lives, should the answer not say."""

_LONGEST_LIFETIME = 315_360_000.0
"""Seconds: ten years. More is not a lifetime but garbage."""


def _access_token(text: str) -> Secret:
    return checked_secret("access_token", text, source=_ANSWER)


def _refresh_token(text: str) -> Secret:
    return checked_secret("refresh_token", text, source=_ANSWER)


def _utc(moment: datetime) -> datetime:
    if not isinstance(moment, datetime):
        raise TypeError(f"expires_at must be a datetime, not {type(moment).__name__}")
    if moment.tzinfo is None:
        raise ValueError("expires_at must have a time zone, such as datetime.now(UTC)")
    return moment.astimezone(UTC)


def _origin(api_domain: str) -> str:
    return str(api_domain_base_url(api_domain).origin())


def _words(scopes: Iterable[str] | str) -> tuple[str, ...]:
    words = re.split(r"[\s,]+", scopes) if isinstance(scopes, str) else scopes
    return tuple(sorted({word for word in words if word}))


@frozen
class OAuthTokens:
    """The tokens of one company, as they come from `OAuthApp.exchange_code` or a refresh.

    They are secrets: their `repr` hides them, they do not pickle, and `to_dict` is the only way to
    their text.

    Attributes:
        access_token: Goes with every request, for about an hour.
        refresh_token: Gives the next access token. It dies after 60 days without use.
        expires_at: When the access token expires: an aware time, kept in UTC.
        api_domain: The company's origin, such as `https://acme.pipedrive.com`. Requests go to no
            other.
        scopes: What the user has granted, in alphabetical order. A comma-separated text will do.

    Raises:
        ValueError: A token is empty or cannot stand in a header, the time has no zone, or
            `api_domain` is not https on a host of pipedrive.com (or a loopback server).
        TypeError: A field is of another type.
    """

    access_token: Secret = field(converter=_access_token)
    refresh_token: Secret = field(converter=_refresh_token)
    expires_at: datetime = field(converter=_utc)
    api_domain: str = field(converter=_origin)
    scopes: tuple[str, ...] = field(converter=_words, default=())

    @property
    def base_url(self) -> URL:
        """The address that requests begin with: `{api_domain}/api/v1`."""
        return api_domain_base_url(self.api_domain)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict, with the secrets in it: keep it as you keep a password."""
        return {
            "access_token": str(self.access_token),
            "refresh_token": str(self.refresh_token),
            "expires_at": self.expires_at.isoformat(),
            "api_domain": self.api_domain,
            "scopes": list(self.scopes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The tokens of a dict that `to_dict` made. Other keys are ignored.

        Raises:
            ValueError: A key is missing or its value cannot be right.
            TypeError: A value is of another type.
        """
        return cls(**_fields_of(data))


OAuthTokens.__init__ = hiding_arguments(OAuthTokens.__init__)  # type: ignore[method-assign]


def _fields_of(data: Mapping[str, Any]) -> dict[str, Any]:
    missing = {"access_token", "refresh_token", "expires_at", "api_domain"} - data.keys()
    if missing:
        raise ValueError(f"these keys are missing: {', '.join(sorted(missing))}")
    expires_at = data["expires_at"]
    if not isinstance(expires_at, str):
        raise TypeError("expires_at must be a text such as '2026-01-02T03:04:05+00:00'")
    return {
        "access_token": data["access_token"],
        "refresh_token": data["refresh_token"],
        "expires_at": datetime.fromisoformat(expires_at),
        "api_domain": data["api_domain"],
        "scopes": data.get("scopes", ()),
    }


def read_tokens(body: bytes, now: datetime, previous: OAuthTokens | None = None) -> OAuthTokens:
    """The tokens in an answer of the token endpoint.

    What an answer to a refresh leaves out stays as it was: Pipedrive's guide does not say whether
    every refresh brings a new refresh token. An `api_domain` that is not Pipedrive's is not
    followed: the previous one stays, so that the new tokens are not lost.

    Args:
        body: The answer's body.
        now: When it came, as an aware time.
        previous: The tokens that were refreshed; None for the answer to a code.

    Raises:
        DecodeError: There is no access token in it, or something that nothing else can stand for.
            The message quotes nothing of it.
    """
    try:
        # Not msgspec: it refuses all of it for half a surrogate pair in a text of no interest.
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise DecodeError("the token endpoint's answer is not a JSON object")
    scope = said.get("scope")
    return OAuthTokens(
        access_token=_text_of(said, "access_token", None),
        refresh_token=_text_of(said, "refresh_token", previous.refresh_token if previous else None),
        expires_at=now + timedelta(seconds=_lifetime_seconds(said.get("expires_in"))),
        api_domain=_api_domain_of(said, previous),
        scopes=scope if isinstance(scope, str) else (previous.scopes if previous else ()),
    )


def _lifetime_seconds(said: object) -> float:
    if isinstance(said, str) and re.fullmatch(r"[0-9]{1,9}", said):
        said = int(said)
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said) if 0 < said <= _LONGEST_LIFETIME else USUAL_LIFETIME
    return USUAL_LIFETIME


def _text_of(said: dict[str, Any], name: str, otherwise: str | None) -> str:
    try:
        return checked_secret(name, said.get(name) or "", source=_ANSWER)
    except (TypeError, ValueError):
        if otherwise is not None:
            return otherwise
    raise DecodeError(
        f"the token endpoint's answer has no {name} that can be one", path=f"$.{name}"
    )


def _api_domain_of(said: dict[str, Any], previous: OAuthTokens | None) -> str:
    try:
        return _origin(said.get("api_domain") or "")
    except (TypeError, ValueError):
        if previous is not None:
            return previous.api_domain
    raise DecodeError(
        "the token endpoint's answer has no api_domain of Pipedrive's", path="$.api_domain"
    )
