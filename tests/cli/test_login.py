"""Logging in in the browser, and what the other commands do with the tokens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import threading
import urllib.error
import urllib.request
import webbrowser
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from pipeflow import OAuthApp, OAuthTokens
from pipeflow.testing import FakeOAuth, FakePipedrive, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import aiohttp

    from .conftest import Run, Serve


@define
class Browser:
    """Goes where it is sent, in a thread, and keeps the pages."""

    before: Callable[[str], object] = field(default=lambda _: None)
    pages: list[tuple[int, str]] = field(factory=list)
    threads: list[threading.Thread] = field(factory=list)

    def open(self, url: str) -> bool:
        thread = threading.Thread(target=self._go, args=(url,))
        self.threads.append(thread)
        thread.start()
        return True

    def last(self) -> tuple[int, str]:
        for thread in self.threads:
            thread.join()
        return self.pages[-1]

    def _go(self, url: str) -> None:
        self.before(url)
        self.get(url)

    def get(self, url: str) -> None:
        try:
            with urllib.request.urlopen(url) as page:
                self.pages.append((page.status, page.read().decode()))
        except urllib.error.HTTPError as error:
            with error:
                self.pages.append((error.code, error.read().decode()))


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    browser = Browser()
    monkeypatch.setattr(webbrowser, "open", browser.open)
    yield browser
    for thread in browser.threads:
        thread.join()


@pytest.fixture
def redirect_uri(unused_port: int) -> str:
    return f"http://127.0.0.1:{unused_port}/callback"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tokens are kept unless a file is named."""
    monkeypatch.setattr("click.get_app_dir", lambda name: str(tmp_path / name))
    return tmp_path


@pytest.fixture
def oauth_fake(serve: Serve, redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> FakePipedrive:
    fake = serve(FakePipedrive(oauth=FakeOAuth(redirect_uri=redirect_uri)))
    monkeypatch.delenv("PIPEDRIVE_API_TOKEN")
    monkeypatch.setenv("PIPEDRIVE_CLIENT_ID", fake.oauth.client_id)
    monkeypatch.setenv("PIPEDRIVE_CLIENT_SECRET", fake.oauth.client_secret)
    monkeypatch.setenv("PIPEDRIVE_OAUTH_URL", f"{fake.oauth.origin}/oauth")
    return fake


@pytest.fixture
def login(run: Run, oauth_fake: FakePipedrive, redirect_uri: str) -> Run:
    def log_in(*options: object) -> object:
        return run("login", "--redirect-uri", redirect_uri, *options)

    return log_in  # type: ignore[return-value]


# ---- logging in


def test_after_a_login_the_other_commands_have_tokens(
    run: Run, login: Run, browser: Browser, home: Path, oauth_fake: FakePipedrive
) -> None:
    outcome = login()
    assert outcome.exit_code == 0
    path = home / "pipeflow" / "tokens.json"
    assert f"Logged in to {oauth_fake.oauth.origin}. The tokens are in {path}." in outcome.stderr
    assert browser.last()[0] == 200
    assert "You are logged in" in browser.last()[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    oauth_fake.oauth.expire()
    outcome = run("flow", 1101, "--max-items", 1, "--format", "jsonl")
    assert (outcome.exit_code, len(outcome.stdout.splitlines())) == (0, 1)
    assert oauth_fake.oauth.token_requests == ["authorization_code", "refresh_token"]


def test_tokens_may_be_kept_elsewhere(
    run: Run, login: Run, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "acme.json"
    assert login("--tokens", path).exit_code == 0
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "a-token-that-is-not-asked-for")
    assert run("flow", 1101, "--max-items", 1, "--tokens", path).exit_code == 0


def test_neither_the_terminal_nor_the_page_shows_a_secret(
    login: Run, browser: Browser, home: Path, oauth_fake: FakePipedrive
) -> None:
    outcome = login()
    kept = json.loads((home / "pipeflow" / "tokens.json").read_text())
    browser.last()
    shown = outcome.stdout + outcome.stderr + str(browser.pages)
    for secret in (
        kept["access_token"],
        kept["refresh_token"],
        oauth_fake.oauth.client_secret,
    ):
        assert secret not in shown


def test_a_user_who_declines_ends_the_login(
    login: Run, browser: Browser, oauth_fake: FakePipedrive, home: Path
) -> None:
    oauth_fake.oauth.consents = False
    outcome = login()
    assert outcome.exit_code == 1
    assert "Error: no access: the user declined (access_denied)\n" in outcome.stderr
    assert "was not allowed" in browser.last()[1]
    assert not (home / "pipeflow").exists()


def test_a_forged_callback_and_other_addresses_do_not_end_it(
    login: Run, browser: Browser, redirect_uri: str
) -> None:
    def detour(_: str) -> None:
        browser.get(f"{redirect_uri}?code=forged&state=another")
        browser.get(redirect_uri.replace("/callback", "/favicon.ico"))

    browser.before = detour
    assert login().exit_code == 0
    browser.last()
    assert [status for status, _ in browser.pages] == [400, 404, 200]


def test_a_page_that_is_loaded_again_does_no_harm(
    login: Run, browser: Browser, oauth_fake: FakePipedrive
) -> None:
    """While the code is traded, the browser asks for the same page once more."""
    exchange = OAuthApp.exchange_code

    async def exchange_after_another_page(
        app: OAuthApp, code: str, *, session: aiohttp.ClientSession
    ) -> OAuthTokens:
        again = f"{oauth_fake.oauth.redirect_uri}?code={code}&state=whatever"
        await asyncio.to_thread(browser.get, again)
        return await exchange(app, code, session=session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OAuthApp, "exchange_code", exchange_after_another_page)
        assert login().exit_code == 0
    browser.last()
    assert ["has taken place" in text for _, text in browser.pages] == [True, False]
    assert oauth_fake.oauth.token_requests == ["authorization_code"]


def test_a_login_that_fails_says_why(
    login: Run, browser: Browser, oauth_fake: FakePipedrive
) -> None:
    oauth_fake.oauth.script(Status(503, "away"))
    outcome = login()
    assert outcome.exit_code == 1
    assert "Error: 503" in outcome.stderr
    assert "The terminal says why" in browser.last()[1]


def test_tokens_that_cannot_be_saved_are_an_error(
    login: Run, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    outcome = login("--tokens", tmp_path / "file" / "tokens.json")
    assert outcome.exit_code == 1
    assert "Error: the tokens cannot be saved: File exists" in outcome.stderr


def test_nobody_is_waited_for_longer_than_asked(
    login: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    outcome = login("--timeout", 1)
    assert outcome.exit_code == 1
    assert "nobody has allowed the access within 1 s" in outcome.stderr
    assert "/oauth/authorize?" in outcome.stderr


def test_without_a_browser_the_address_is_printed(login: Run, browser: Browser) -> None:
    outcome = login("--no-browser", "--timeout", 1)
    assert browser.threads == []
    assert "/oauth/authorize?" in outcome.stderr


def test_ctrl_c_ends_it(login: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: os.kill(os.getpid(), signal.SIGINT))
    outcome = login()
    assert outcome.exit_code == 130
    assert "Traceback" not in outcome.stderr


def test_a_port_that_is_taken_is_named(login: Run, redirect_uri: str) -> None:
    port = int(redirect_uri.split(":")[2].split("/", maxsplit=1)[0])
    with socket.create_server(("127.0.0.1", port)):
        outcome = login()
    assert outcome.exit_code == 1
    assert f"cannot listen on port {port} for the way back: " in outcome.stderr


@pytest.mark.usefixtures("oauth_fake")
@pytest.mark.parametrize(
    "elsewhere", ["https://app.example.com/callback", "https://127.0.0.1/callback", "callback"]
)
def test_the_way_back_leads_to_this_machine(run: Run, elsewhere: str) -> None:
    outcome = run("login", "--redirect-uri", elsewhere)
    assert outcome.exit_code == 2
    assert "an http:// address of this machine" in outcome.stderr


@pytest.mark.usefixtures("oauth_fake")
def test_a_way_back_that_is_not_a_url_is_wrong_usage(run: Run) -> None:
    outcome = run("login", "--redirect-uri", "http://[]@")
    assert outcome.exit_code == 2
    assert "Error: --redirect-uri is not a URL" in outcome.stderr


def test_localhost_is_every_loopback_address(
    run: Run, browser: Browser, oauth_fake: FakePipedrive, redirect_uri: str
) -> None:
    oauth_fake.oauth.redirect_uri = redirect_uri.replace("127.0.0.1", "localhost")
    assert run("login", "--redirect-uri", oauth_fake.oauth.redirect_uri).exit_code == 0


# ---- settings


@pytest.mark.parametrize("missing", ["PIPEDRIVE_CLIENT_ID", "PIPEDRIVE_CLIENT_SECRET"])
def test_the_app_stands_in_the_environment(
    login: Run, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.delenv(missing)
    outcome = login()
    assert outcome.exit_code == 2
    assert "PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET are not set" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPEDRIVE_CLIENT_ID", "in two words"),
        ("PIPEDRIVE_CLIENT_SECRET", "in two words"),
        ("PIPEDRIVE_OAUTH_URL", "http://example.com"),
    ],
)
def test_what_cannot_be_right_is_named(
    login: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    outcome = login()
    assert outcome.exit_code == 2
    assert f"Error: {name} must be" in outcome.stderr


def test_dead_tokens_say_to_log_in_again(
    run: Run, login: Run, browser: Browser, oauth_fake: FakePipedrive
) -> None:
    login()
    oauth_fake.oauth.revoke()
    outcome = run("flow", 1101)
    assert outcome.exit_code == 1
    assert "Error: log in again with 'pipeflow login': the refresh token for" in outcome.stderr


def test_a_file_without_tokens_says_to_log_in(
    run: Run, oauth_fake: FakePipedrive, tmp_path: Path
) -> None:
    outcome = run("flow", 1101, "--tokens", tmp_path / "none.json")
    assert outcome.exit_code == 1
    assert "log in again with 'pipeflow login'" in outcome.stderr


def test_oauth_tokens_name_their_own_address(run: Run, oauth_fake: FakePipedrive) -> None:
    outcome = run("flow", 1101, "--tokens", "x", "--base-url", oauth_fake.base_url)
    assert outcome.exit_code == 2
    assert "--base-url does not go with OAuth tokens" in outcome.stderr


# ---- the API token in a file


def test_the_api_token_may_stand_in_a_file(
    run: Run, fake: FakePipedrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text(f"{fake.api_token}\n")
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "another")
    options = ["--max-items", 1, "--base-url", fake.base_url]
    assert run("flow", 1101, "--api-token-file", path, *options).exit_code == 0
    assert run("flow", 1101, *options).exit_code == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "cannot be read: it is not text"),
        (b"", "is empty"),
        (b"in two words", "one word"),
    ],
)
def test_a_file_that_holds_no_token_is_wrong_usage(
    run: Run, tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    outcome = run("flow", 1101, "--api-token-file", path)
    assert outcome.exit_code == 2
    assert complaint in outcome.stderr
    assert "two words" not in outcome.stderr


def test_one_way_to_authenticate_is_named(run: Run) -> None:
    outcome = run("flow", 1101, "--api-token-file", "x", "--tokens", "y")
    assert outcome.exit_code == 2
    assert "not both" in outcome.stderr
