from __future__ import annotations

import inspect
from contextlib import AsyncExitStack, aclosing
from typing import Any

import aiohttp
import pytest

from pipeflow import PipedriveSession
from pipeflow.session import SessionOptions
from pipeflow.testing import FakePipedrive
from tests.session.conftest import notes, session_at

TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "api_token is missing.*PIPEDRIVE_API_TOKEN"),
        ({"api_token": ""}, "api_token is empty"),
        ({"api_token": f"{TOKEN}\n"}, r"api_token.*strip\(\)"),
        ({"api_token": TOKEN, "base_url": "http://example.com/v1"}, "base_url must be https"),
        ({"api_token": TOKEN, "company_domain": "a/b"}, "company_domain"),
        (
            {"api_token": TOKEN, "company_domain": "acme", "base_url": "https://x.example/v1"},
            "base_url or company_domain, not both",
        ),
        ({"api_token": TOKEN, "attempt_timeout": 0}, "attempt_timeout"),
        ({"api_token": TOKEN, "attempt_timeout": -1.0}, "attempt_timeout"),
    ],
)
def test_a_session_that_cannot_be_right_is_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        PipedriveSession(**options)
    assert TOKEN not in str(caught.value)


def test_a_token_of_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="api_token"):
        PipedriveSession(5)  # type: ignore[arg-type]


def test_the_environment_names_token_and_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", TOKEN)
    monkeypatch.setenv("PIPEDRIVE_COMPANY_DOMAIN", "acme")
    assert repr(PipedriveSession.from_env()) == (
        "<PipedriveSession https://acme.pipedrive.com/api/v1>"
    )


def test_the_company_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", TOKEN)
    monkeypatch.setenv("PIPEDRIVE_COMPANY_DOMAIN", "")
    assert repr(PipedriveSession.from_env()) == "<PipedriveSession https://api.pipedrive.com/v1>"


@pytest.mark.parametrize(
    "options", [{"company_domain": "other"}, {"base_url": "https://other.pipedrive.com/api/v1"}]
)
def test_an_address_given_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", TOKEN)
    monkeypatch.setenv("PIPEDRIVE_COMPANY_DOMAIN", "acme")
    assert "//other." in repr(PipedriveSession.from_env(**options))


def test_a_token_missing_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEDRIVE_API_TOKEN", raising=False)
    with pytest.raises(ValueError, match="PIPEDRIVE_API_TOKEN is not set"):
        PipedriveSession.from_env()


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"attempt_timeout": "30"}, TypeError, "attempt_timeout"),
        ({"attempt_timeout": float("nan")}, ValueError, "attempt_timeout"),
        ({"attempt_timeout": True}, TypeError, "attempt_timeout"),
        ({"block_cooldown": -1}, ValueError, "block_cooldown"),
        ({"max_page_bytes": 0}, ValueError, "max_page_bytes"),
        ({"max_page_bytes": 1e6}, TypeError, "max_page_bytes"),
        ({"trust_env": 1}, TypeError, "trust_env"),
    ],
)
def test_a_bound_that_is_none_is_refused(
    options: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        PipedriveSession(TOKEN, **options)


def test_an_attempt_may_be_without_bound() -> None:
    assert repr(PipedriveSession(TOKEN, attempt_timeout=None)).startswith("<PipedriveSession")


def test_a_deadline_is_a_number_of_seconds() -> None:
    assert repr(PipedriveSession(TOKEN, deadline=60)).startswith("<PipedriveSession")
    with pytest.raises(ValueError, match="deadline"):
        PipedriveSession(TOKEN, deadline=0)


def test_a_session_that_was_never_finished_can_be_shown() -> None:
    assert repr(PipedriveSession.__new__(PipedriveSession)) == "<PipedriveSession unfinished>"


def test_the_options_of_from_env_are_the_arguments_of_a_session() -> None:
    api_token, oauth, tokens, *parameters = inspect.signature(PipedriveSession).parameters.values()
    assert [api_token.name, oauth.name, tokens.name] == ["api_token", "oauth", "tokens"]
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
    shown = inspect.get_annotations(SessionOptions)
    assert list(shown) == [parameter.name for parameter in parameters]
    assert {name: hint.__forward_arg__ for name, hint in shown.items()} == {
        parameter.name: parameter.annotation for parameter in parameters
    }


def test_each_argument_of_a_session_is_documented() -> None:
    for name in inspect.signature(PipedriveSession).parameters:
        assert f"\n        {name}: " in str(PipedriveSession.__doc__)


# ---- how it ends


async def test_a_session_is_closed_by_either_name() -> None:
    async with aclosing(PipedriveSession(TOKEN)) as pipedrive:
        assert "closed" not in repr(pipedrive)
    assert repr(pipedrive).endswith(" closed>")
    async with AsyncExitStack() as stack:
        pipedrive = PipedriveSession(TOKEN)
        stack.push_async_callback(pipedrive.aclose)
    assert repr(pipedrive).endswith(" closed>")


# ---- proxies


async def test_proxies_of_the_environment_are_used_when_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FakePipedrive(persons={7: notes(1)}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        elsewhere = "http://127.0.0.1:1/v1"
        async with session_at(proxy, base_url=elsewhere, trust_env=True) as pipedrive:
            assert len((await pipedrive.get_person_flow(7)).updates) == 1
        assert proxy.request_count == 1
        async with session_at(proxy) as pipedrive:
            await pipedrive.get_person_flow(7)
        assert proxy.request_count == 2


async def test_proxies_are_the_business_of_a_borrowed_session() -> None:
    async with aiohttp.ClientSession() as borrowed:
        with pytest.raises(ValueError, match=r"aiohttp\.ClientSession\(trust_env=True\)"):
            PipedriveSession(TOKEN, session=borrowed, trust_env=True)
