"""Which credential a session has: an API token or OAuth, and never both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.credentials.api_token import ApiTokenCredential
from pipeflow.credentials.oauth_app import OAuthApp
from pipeflow.credentials.oauth_credential import OAuthCredential
from pipeflow.credentials.oauth_tokens import OAuthTokens
from pipeflow.credentials.token_stores import MemoryTokenStore, TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

__all__ = ["credential_of"]


def credential_of(
    api_token: str | None,
    *,
    oauth: OAuthApp | None,
    tokens: OAuthTokens | TokenStore | None,
    base_url: str | None,
    company_domain: str | None,
    client: Callable[[], ClientSession],
) -> ApiTokenCredential | OAuthCredential:
    """The credential that a session's arguments name.

    Args:
        api_token: The API token, or None for OAuth.
        oauth: The OAuth app, or None for an API token.
        tokens: With `oauth`, the tokens or the store that has them.
        base_url: With `api_token`, where it may go.
        company_domain: With `api_token`, where it may go.
        client: Gives the HTTP client for token requests.

    Raises:
        ValueError: Not exactly one of `api_token` and `oauth` is given, or something that does not
            go with it.
        TypeError: An argument is of another type.
    """
    if oauth is None:
        if tokens is not None:
            raise ValueError("tokens go with oauth: PipedriveSession(oauth=app, tokens=tokens)")
        if api_token is None:
            raise ValueError(
                "api_token is missing: pass it, or set PIPEDRIVE_API_TOKEN and use "
                "PipedriveSession.from_env(); or pass oauth and tokens"
            )
        return ApiTokenCredential(api_token, base_url=base_url, company_domain=company_domain)
    if api_token is not None:
        raise ValueError("give api_token or oauth, not both")
    if base_url is not None or company_domain is not None:
        raise ValueError(
            "base_url and company_domain go with api_token: OAuth tokens name their own address"
        )
    if not isinstance(oauth, OAuthApp):
        raise TypeError(f"oauth must be an OAuthApp, not {type(oauth).__name__}")
    if tokens is None:
        raise ValueError("tokens are missing: pass OAuthTokens, or the TokenStore that has them")
    store = MemoryTokenStore(tokens) if isinstance(tokens, OAuthTokens) else tokens
    if not isinstance(store, TokenStore):
        raise TypeError(f"tokens must be OAuthTokens or a TokenStore, not {type(store).__name__}")
    return OAuthCredential(
        store,
        lambda tokens: oauth.refresh(tokens, session=client()),
        secrets=oauth.secrets,
    )
