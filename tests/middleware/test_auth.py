from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from pipeflow import SessionStats
from pipeflow.credentials import ApiTokenCredential, Authorization
from pipeflow.middleware import (
    AttemptMiddleware,
    AuthMiddleware,
    ObserverMiddleware,
    RateLimitMiddleware,
    RefreshMiddleware,
)
from tests.middleware.conftest import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

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


@pytest.mark.parametrize("token", ["", "a b"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="api_token"):
        AuthMiddleware(token)


def test_a_token_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="api_token"):
        AuthMiddleware(b"token")  # type: ignore[arg-type]


def test_a_credential_knows_its_own_address() -> None:
    credential = ApiTokenCredential(TOKEN, company_domain="acme")
    AuthMiddleware(credential)
    with pytest.raises(ValueError, match="go with an API token only"):
        AuthMiddleware(credential, company_domain="acme")


async def test_headers_of_the_same_name_are_back_after_the_request(serve: Serve) -> None:
    server = await serve(answer())
    seen: list[list[str]] = []

    async def watch(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        seen.append(request.headers.getall("x-api-token"))
        return response

    auth = AuthMiddleware(TOKEN, base_url=server.url)
    async with (
        aiohttp.ClientSession(middlewares=[watch, auth]) as session,
        session.get(server.url, headers={"x-api-token": "the caller's"}),
    ):
        pass
    assert server.header("x-api-token") == [TOKEN]
    assert seen == [["the caller's"]]


# ---- after a 401


class Renewed:
    """A credential that is renewed as often as it is asked, up to a number of times."""

    def __init__(self, base_url: str, *, times: int) -> None:
        self.base_url = URL(base_url)
        self.times = times
        self.number = 1
        self.refused: list[str] = []

    async def authorization(self) -> Authorization:
        return Authorization(self.base_url, {"Authorization": f"Bearer token{self.number}"})

    async def refresh(self, refused: Authorization) -> bool:
        self.refused += refused.headers.values()
        self.number += 1
        return self.number <= self.times + 1

    async def close(self) -> None: ...

    def secrets(self) -> list[str]:
        return [f"token{self.number}"]


async def get_all(url: str, *middlewares: ClientMiddlewareType) -> int:
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.get(url) as response,
    ):
        await response.read()
        return response.status


async def test_after_a_401_it_is_refreshed_and_sent_once_more(serve: Serve) -> None:
    server = await serve(answer(401), answer())
    credential = Renewed(server.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(server.url, *stack) == 200
    assert server.header("authorization") == ["bearer token1", "bearer token2"]
    assert credential.refused == ["Bearer token1"]
    assert credential.secrets() == ["token2"]


async def test_what_a_refresh_brings_may_have_to_be_refreshed_once_more(serve: Serve) -> None:
    """As when others have refreshed, long ago, and saved the tokens."""
    server = await serve(answer(401), answer(401), answer())
    credential = Renewed(server.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(server.url, *stack) == 200
    assert credential.refused == ["Bearer token1", "Bearer token2"]


async def test_it_is_refreshed_twice_and_no_oftener(serve: Serve) -> None:
    server = await serve(answer(401))
    credential = Renewed(server.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(server.url, *stack) == 401
    assert len(server.requests) == 3


async def test_a_body_that_comes_once_is_not_sent_again(serve: Serve) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"once"

    server = await serve(answer(401))
    credential = Renewed(server.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    async with (
        aiohttp.ClientSession(middlewares=stack) as session,
        session.put(server.url, data=body()) as response,
    ):
        assert response.status == 401
    assert credential.refused == []


async def test_what_cannot_be_refreshed_is_not_sent_again(serve: Serve) -> None:
    server = await serve(answer(401))
    credential = Renewed(server.url, times=0)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(server.url, *stack) == 401
    assert len(server.requests) == 1


async def test_a_403_is_no_reason_to_refresh(serve: Serve) -> None:
    server = await serve(answer(403))
    credential = Renewed(server.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(server.url, *stack) == 403
    assert credential.refused == []


async def test_a_401_of_another_origin_is_no_reason_to_refresh(serve: Serve) -> None:
    ours, other = await serve(answer()), await serve(answer(401))
    credential = Renewed(ours.url, times=9)
    stack = (RefreshMiddleware(credential), AuthMiddleware(credential))
    assert await get_all(other.url, *stack) == 401
    assert credential.refused == []
    assert other.header("authorization") == [None]


async def test_without_a_refresh_around_it_a_401_stays(serve: Serve) -> None:
    server = await serve(answer(401))
    credential = Renewed(server.url, times=9)
    assert await get_all(server.url, AuthMiddleware(credential)) == 401
    assert credential.refused == []


async def test_two_refreshes_in_one_stack_do_the_work_of_one(serve: Serve) -> None:
    server = await serve(answer(401), answer())
    credential = Renewed(server.url, times=9)
    outer, inner = RefreshMiddleware(credential), RefreshMiddleware(credential)
    assert await get_all(server.url, outer, inner, AuthMiddleware(credential)) == 200
    assert credential.refused == ["Bearer token1"]


async def test_the_second_sending_passes_the_limit_again(serve: Serve) -> None:
    server = await serve(answer(401), answer())
    credential = Renewed(server.url, times=9)
    stats = SessionStats()
    stack = (
        RefreshMiddleware(credential),
        RateLimitMiddleware(),
        ObserverMiddleware(stats),
        AttemptMiddleware(),
        AuthMiddleware(credential),
    )
    assert await get_all(server.url, *stack) == 200
    assert stats.requests == 2
