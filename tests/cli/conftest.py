"""The command line run as a user runs it, against a fake Pipedrive in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
from attrs import frozen

from pipeflow.cli import main
from pipeflow.retrying import RetryPolicy
from pipeflow.testing import FakePipedrive

SETTINGS = (
    "PIPEDRIVE_API_TOKEN",
    "PIPEDRIVE_COMPANY_DOMAIN",
    "COLUMNS",
    "FORCE_COLOR",
    "NO_COLOR",
)


@frozen
class Outcome:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


Run = Callable[..., Outcome]
Serve = Callable[[FakePipedrive], FakePipedrive]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of someone who has set nothing up."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `pipeflow` with these arguments, in this process."""

    def run_main(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["pipeflow", *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        assert isinstance(ending.value.code, int)
        return Outcome(ending.value.code, printed.out, printed.err)

    return run_main


@contextmanager
def running(fake: FakePipedrive) -> Generator[FakePipedrive, None, None]:
    """Serves from a loop in another thread, as the command has a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(fake.__aenter__(), loop).result()
        try:
            yield fake
        finally:
            asyncio.run_coroutine_threadsafe(fake.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Generator[Serve, None, None]:
    """Starts a fake Pipedrive and puts its token into the environment."""
    with ExitStack() as fakes:

        def start(fake: FakePipedrive) -> FakePipedrive:
            fakes.enter_context(running(fake))
            monkeypatch.setenv("PIPEDRIVE_API_TOKEN", fake.api_token)
            return fake

        yield start


@pytest.fixture
def fake(serve: Serve) -> FakePipedrive:
    """A fake Pipedrive as it comes."""
    return serve(FakePipedrive())


@pytest.fixture
def flow(run: Run, fake: FakePipedrive) -> Run:
    """Runs `pipeflow flow` against that fake."""
    return partial(run, "flow", "--base-url", fake.base_url)


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tries of a request, without a wait between them."""
    hasty = partial(RetryPolicy, attempts=2, base_delay=0.0)
    monkeypatch.setattr("pipeflow.session.RetryPolicy", hasty)
