from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.middleware import AuthMiddleware
from tests.middleware.conftest import answer

if TYPE_CHECKING:
    from aiohttp import ClientMiddlewareType

    from tests.middleware.conftest import Serve

TOKEN = "0123456789abcdef0123456789abcdef01234567"


async def get(url: str, middleware: ClientMiddlewareType) -> int:
    async with (
        aiohttp.ClientSession(middlewares=[middleware]) as session,
        session.get(url) as response,
    ):
        return response.status


async def test_the_token_goes_in_its_header_and_not_in_the_url(serve: Serve) -> None:
    server = await serve(answer())
    await get(server.url, AuthMiddleware(TOKEN, base_url=server.url))
    assert server.header("x-api-token") == [TOKEN]
    assert TOKEN not in server.requests[0].decode().splitlines()[0]


async def test_another_origin_does_not_get_the_token(serve: Serve) -> None:
    ours, other = await serve(answer()), await serve(answer())
    await get(other.url, AuthMiddleware(TOKEN, base_url=ours.url))
    assert other.header("x-api-token") == [None]


async def test_a_redirect_to_another_origin_does_not_carry_the_token(serve: Serve) -> None:
    """Trap 6: aiohttp sends `x-api-token` on."""
    other = await serve(answer())
    ours = await serve(answer(302, headers={"Location": other.url}))
    assert await get(ours.url, AuthMiddleware(TOKEN, base_url=ours.url)) == 200
    assert ours.header("x-api-token") == [TOKEN]
    assert other.header("x-api-token") == [None]


def test_a_company_has_an_origin_of_its_own() -> None:
    assert TOKEN not in repr(AuthMiddleware(TOKEN, company_domain="acme"))


@pytest.mark.parametrize("token", ["", "a b", "a\r\nb", "a\n", "ä", "\x00"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="api_token"):
        AuthMiddleware(token)


def test_a_token_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="api_token"):
        AuthMiddleware(b"token")  # type: ignore[arg-type]
