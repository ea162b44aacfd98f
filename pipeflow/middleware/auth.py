"""The credential: put on requests to one origin, and on no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeflow.addresses import base_url_from
from pipeflow.credentials import ApiToken, hiding_arguments

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["AuthMiddleware"]


class AuthMiddleware:
    """Sends the API token in the `x-api-token` header, to the base URL's origin only.

    A request to any other origin, such as one that follows a redirect, goes out without it.
    (aiohttp itself drops only `Authorization` there.)

    Source: Pipedrive's guide, "Authentication" (`core-api-concepts-authentication`).

    Args:
        api_token: The token from Pipedrive's personal preferences.
        base_url: The URL whose scheme, host and port get the token.
        company_domain: Instead of `base_url`, such as `"acme"` for acme.pipedrive.com.

    Raises:
        ValueError: The token is empty or cannot stand in a header; the URL is not an https one
            (http only to loopback).
    """

    @hiding_arguments
    def __init__(
        self,
        api_token: str,
        *,
        base_url: str | None = None,
        company_domain: str | None = None,
    ) -> None:
        self._api_token = ApiToken(api_token)
        self._origin = base_url_from(base_url, company_domain).origin()

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Adds the token to a request to the right origin, as long as it is under way.

        On another try the same request passes the middlewares outside this one again, and its
        headers can be seen in `response.request_info`.
        """
        if request.url.origin() != self._origin:
            return await handler(request)
        request.headers["x-api-token"] = self._api_token
        try:
            return await handler(request)
        finally:
            request.headers.pop("x-api-token", None)
