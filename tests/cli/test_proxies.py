"""The proxy of the environment is used, and never given a token in plain sight."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from pipeflow import OAuthTokens

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pipeflow.testing import FakePipedrive

    from .conftest import Run


@define
class Proxy:
    """A proxy that refuses every connection and remembers what it was asked for."""

    url: str
    asked: list[str] = field(factory=list)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Generator[Proxy, None, None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def refuse() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    proxy.asked.append(connection.recv(65536).decode())
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("options", [[], ["--base-url", "https://api.pipedrive.com/api/v1"]])
@pytest.mark.usefixtures("no_backoff")
def test_pipedrive_is_asked_through_the_proxy(
    run: Run, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "0123456789abcdef")
    assert run("flow", 1101, *options).exit_code == 1
    assert proxy.asked[0].startswith("CONNECT api.pipedrive.com:443 ")
    assert "0123456789abcdef" not in "".join(proxy.asked)


def test_a_server_on_this_machine_is_asked_directly(
    flow: Run, fake: FakePipedrive, proxy: Proxy
) -> None:
    assert flow(1101, "--max-items", 1).exit_code == 0
    assert proxy.asked == []


@pytest.fixture
def tokens_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIPEDRIVE_CLIENT_ID", "an-id")
    monkeypatch.setenv("PIPEDRIVE_CLIENT_SECRET", "a-client-secret")
    tokens = OAuthTokens(
        access_token="0123456789abcdef",
        refresh_token="fedcba9876543210",
        expires_at=datetime(2026, 1, 2, tzinfo=UTC),
        api_domain="https://acme.pipedrive.com",
    )
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps(tokens.to_dict()))
    return path


@pytest.mark.usefixtures("no_backoff")
def test_tokens_are_refreshed_through_the_proxy(run: Run, proxy: Proxy, tokens_file: Path) -> None:
    assert run("flow", 1101, "--tokens", tokens_file).exit_code == 1
    assert proxy.asked[0].startswith("CONNECT oauth.pipedrive.com:443 ")
    assert "fedcba9876543210" not in "".join(proxy.asked)


def test_an_oauth_server_on_this_machine_is_asked_directly(
    run: Run, proxy: Proxy, tokens_file: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_OAUTH_URL", f"http://127.0.0.1:{unused_port}/oauth")
    assert run("flow", 1101, "--tokens", tokens_file).exit_code == 1
    assert proxy.asked == []
