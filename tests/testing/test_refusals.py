from __future__ import annotations

import pytest

from pipeflow.testing import FakePipedrive

from .asking import ask

UNAUTHORIZED = {
    "success": False,
    "error": "unauthorized access",
    "errorCode": 401,
    "error_info": "Please check developers.pipedrive.com for more information.",
    "data": None,
    "additional_data": None,
}


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-token": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}],
)
async def test_without_the_right_token_it_answers_401(headers: dict[str, str]) -> None:
    async with FakePipedrive() as fake:
        reply = await ask(fake, headers=headers)
        assert fake.tokens_spent == 0
    assert reply.status == 401
    assert reply.json == UNAUTHORIZED


async def test_the_token_of_a_bearer_is_accepted() -> None:
    async with FakePipedrive(api_token="secret") as fake:
        assert (await ask(fake, headers={"Authorization": "Bearer secret"})).status == 200


async def test_the_old_query_parameter_is_accepted() -> None:
    async with FakePipedrive(api_token="secret") as fake:
        assert (await ask(fake, headers={}, api_token="secret")).status == 200


async def test_each_fake_has_a_token_of_its_own() -> None:
    assert FakePipedrive().api_token != FakePipedrive().api_token


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/persons/999/flow", "Person not found"),
        ("/deals/999/flow", "Deal not found"),
        ("/organizations/999/flow", "Organization not found"),
        ("/persons/1101", "Unknown method ."),
        ("/persons/x/flow", "Unknown method ."),
    ],
)
async def test_what_is_not_there_is_a_404(path: str, error: str) -> None:
    async with FakePipedrive() as fake:
        reply = await ask(fake, path)
    assert reply.status == 404
    assert reply.json["error"] == error


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_only_get_is_allowed(method: str) -> None:
    async with FakePipedrive() as fake:
        reply = await ask(fake, method=method)
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET"


async def test_every_answer_has_a_correlation_id_of_its_own() -> None:
    async with FakePipedrive() as fake:
        replies = [await ask(fake), await ask(fake, "/persons/9/flow"), await ask(fake, headers={})]
        ids = [reply.headers["x-correlation-id"] for reply in replies]
        assert [request.correlation_id for request in fake.requests] == ids
    assert len(set(ids)) == 3
