"""Cookies stay out: the session's jar may be a borrowed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["keep_cookies_out"]


async def keep_cookies_out(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """A middleware that leaves the session's cookie jar as it was.

    aiohttp fills the jar after the middlewares have returned, from this attribute, and offers no
    jar per request.
    """
    response = await handler(request)
    response._raw_cookie_headers = None  # noqa: SLF001
    return response
