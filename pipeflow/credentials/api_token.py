"""The API token: one secret that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.addresses import base_url_from
from pipeflow.credentials.credential import Authorization
from pipeflow.credentials.secret import checked_secret, hiding_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from yarl import URL

__all__ = ["ApiTokenCredential"]


class ApiTokenCredential:
    """Authenticates with the API token, in the `x-api-token` header.

    Source: Pipedrive's guide, "Authentication" (`core-api-concepts-authentication`).

    Args:
        api_token: The token from Pipedrive's personal preferences.
        base_url: The address that requests begin with; its origin alone gets the token. By
            default `https://api.pipedrive.com/v1`.
        company_domain: Instead of `base_url`, such as `"acme"` for acme.pipedrive.com.

    Raises:
        ValueError: The token is empty or cannot stand in a header; the URL is not an https one
            (http only to loopback).
        TypeError: An argument is not a string.
    """

    @hiding_arguments
    def __init__(
        self,
        api_token: str,
        *,
        base_url: str | None = None,
        company_domain: str | None = None,
    ) -> None:
        token = checked_secret("api_token", api_token, source="Pipedrive's personal preferences")
        self._authorization = Authorization(
            base_url_from(base_url, company_domain), {"x-api-token": token}
        )

    def __repr__(self) -> str:
        return f"<ApiTokenCredential for {self.base_url}>"

    @property
    def base_url(self) -> URL:
        """The address that requests begin with."""
        return self._authorization.base_url

    async def authorization(self) -> Authorization:
        """The token, as it was given."""
        return self._authorization

    async def refresh(self, refused: Authorization) -> bool:  # noqa: ARG002 - the protocol's
        """No: a token that is refused stays refused."""
        return False

    async def close(self) -> None:
        """Nothing is under way."""

    def secrets(self) -> Iterable[str]:
        """The token."""
        return self._authorization.headers.values()
