"""The credential: put on requests to one origin and no other, and refreshed when it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pipeflow.credentials import ApiTokenCredential, Credential, hiding_arguments
from pipeflow.middleware.bodies import can_be_sent_again, read_body

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.credentials import Authorization

__all__ = ["AuthMiddleware", "RefreshMiddleware"]

_REFUSED: WeakKeyDictionary[ClientRequest, Authorization] = WeakKeyDictionary()
"""Where `AuthMiddleware` tells the `RefreshMiddleware` around it what was answered with 401."""

_MOST_REFRESHES = 2
"""For one request. The first may bring tokens that another task had refreshed and that have expired
since; a third would not help."""


class AuthMiddleware:
    """Authenticates requests to the base URL's origin, and to no other.

    A request to any other origin, such as one that follows a redirect, goes out without the
    headers. (aiohttp itself drops only `Authorization` there.) The headers stand on the request
    only while it is under way: what stands outside this middleware does not see them.

    Source: Pipedrive's guide, "Authentication" (`core-api-concepts-authentication`).

    Args:
        credential: An API token, or any other `Credential`.
        base_url: With an API token, the URL whose scheme, host and port get it. By default
            `https://api.pipedrive.com/v1`. Other credentials know their own.
        company_domain: Instead of `base_url`, such as `"acme"` for acme.pipedrive.com.

    Raises:
        ValueError: The token is empty or cannot stand in a header; the URL is not an https one
            (http only to loopback); or a URL is given although the credential knows its own.
    """

    @hiding_arguments
    def __init__(
        self,
        credential: str | Credential,
        *,
        base_url: str | None = None,
        company_domain: str | None = None,
    ) -> None:
        self._credential = _as_credential(credential, base_url, company_domain)

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Adds the headers to a request to the right origin, for as long as it is under way.

        At the next attempt the same request passes the middlewares outside this one again, and its
        headers can be seen in `response.request_info`.
        """
        authorization = await self._credential.authorization()
        if request.url.origin() != authorization.base_url.origin():
            return await handler(request)
        before = [(name, request.headers.popall(name, ())) for name in authorization.headers]
        request.headers.update(authorization.headers)
        try:
            response = await handler(request)
        finally:
            for name, values in before:
                request.headers.popall(name, None)
                request.headers.extend((name, value) for value in values)
        if response.status == 401:
            _REFUSED[request] = authorization
        return response


class RefreshMiddleware:
    """Refreshes the credential after a 401 and sends the request again.

    It belongs outside `RateLimitMiddleware`, so that the request passes the limit again and the
    refresh holds no place in it, and needs an `AuthMiddleware` with the same credential inside. A
    refresh ahead of expiry takes place here, too, so that no attempt's time is spent on it.

    Args:
        credential: The one that `AuthMiddleware` has. An API token cannot be refreshed.
    """

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request, and again if it was refused and a refresh brought something new."""
        await self._credential.authorization()
        response = await handler(request)
        for _ in range(_MOST_REFRESHES):
            refused = _REFUSED.pop(request, None)
            if response.status != 401 or refused is None or not can_be_sent_again(request.body):
                break
            await read_body(response)  # so that its connection goes back to the pool
            if not await self._credential.refresh(refused):
                break
            response.release()
            response = await handler(request)
        return response


def _as_credential(
    credential: str | Credential, base_url: str | None, company_domain: str | None
) -> Credential:
    if isinstance(credential, Credential):
        if base_url is not None or company_domain is not None:
            raise ValueError("base_url and company_domain go with an API token only")
        return credential
    return ApiTokenCredential(credential, base_url=base_url, company_domain=company_domain)
