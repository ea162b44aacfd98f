from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeflow.testing import Block, Cloudflare, Delay, FakePipedrive
from pipeflow.testing.cloudflare import accepted_form

from .asking import ask

if TYPE_CHECKING:
    from pipeflow.testing.cloudflare import BlockForm

FORMS: dict[BlockForm, str] = {
    "html": "text/html; charset=UTF-8",
    "json": "application/json; charset=utf-8",
    "problem": "application/problem+json; charset=utf-8",
    "text": "text/plain; charset=UTF-8",
}


async def test_cloudflare_stands_in_front_of_every_answer() -> None:
    async with FakePipedrive() as fake:
        for reply in (await ask(fake), await ask(fake, headers={})):
            assert reply.headers["Server"] == "cloudflare"
            assert reply.headers["CF-Ray"]


@pytest.mark.parametrize(("form", "content_type"), FORMS.items())
async def test_a_block_comes_in_each_form(form: BlockForm, content_type: str) -> None:
    async with FakePipedrive() as fake:
        fake.script(Block(form))
        reply = await ask(fake)
    assert reply.status == 403
    assert reply.headers["Content-Type"] == content_type
    assert b"success" not in reply.body
    assert b"1020" in reply.body


async def test_as_plain_text_it_is_one_line() -> None:
    async with FakePipedrive() as fake:
        fake.script(Block("text"))
        assert (await ask(fake)).body == b"error code: 1020"


@pytest.mark.parametrize("form", ["json", "problem"])
async def test_as_json_it_says_that_it_is_cloudflare(form: BlockForm) -> None:
    async with FakePipedrive() as fake:
        fake.script(Block(form))
        said = (await ask(fake)).json
    assert (said["status"], said["error_code"], said["cloudflare_error"]) == (403, 1020, True)
    assert said["title"] == "Error 1020: Access denied"
    assert said["retryable"] is False


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/json", "json"),
        ("application/problem+json, application/json", "problem"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "html"),
        ("image/png, Text/Plain;q=0.5", "text"),
        ("*/*", "html"),
        ("", "html"),
    ],
)
async def test_it_answers_in_the_form_that_is_accepted(accept: str, form: BlockForm) -> None:
    assert accepted_form(accept) == form
    async with FakePipedrive() as fake:
        fake.blocked = True
        headers = {"x-api-token": fake.api_token, "Accept": accept}
        blocked = await ask(fake, headers=headers)
        fake.blocked = False
        fake.script(Block())
        scripted = await ask(fake, headers=headers)
    assert blocked.headers["Content-Type"] == FORMS[form]
    assert (scripted.status, scripted.body) == (blocked.status, blocked.body)


async def test_it_has_a_rate_limit_of_its_own() -> None:
    async with FakePipedrive() as fake:
        fake.script(Cloudflare(429, 1015, "json"))
        reply = await ask(fake)
        assert (fake.refused_count, fake.tokens_spent) == (1, 0)
    assert reply.status == 429
    assert reply.json["title"] == "Error 1015: You are being rate limited"
    assert reply.json["retryable"] is True


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 527, 529, 530])
async def test_it_says_that_pipedrive_does_not_answer(status: int) -> None:
    async with FakePipedrive() as fake:
        fake.script(Cloudflare(status), Cloudflare(status, form="json"))
        page, said = await ask(fake), await ask(fake)
    assert page.status == said.status == status
    assert f"Error {status}, api.pipedrive.com".encode() in page.body
    assert json.loads(said.body)["error_code"] == status
    assert "Unknown" not in said.json["title"]


async def test_what_else_it_may_say_is_called_by_its_status() -> None:
    async with FakePipedrive() as fake:
        fake.script(Delay(0.0) + Cloudflare(502, form="json"), Cloudflare(599, form="json"))
        assert (await ask(fake)).json["title"] == "Error 502: Bad Gateway"
        assert (await ask(fake)).json["title"] == "Error 599: Unknown"
