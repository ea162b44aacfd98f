from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, cast

import pytest

from pipeflow.observing import (
    AttemptEnded,
    LimitWaited,
    Observer,
    Observers,
    PageRead,
    RequestDetails,
    RequestSent,
    RetryScheduled,
    SendingStopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder(Observer):
    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def request_sent(self, event: RequestSent) -> None:
        self.heard.append(("request_sent", event))

    def attempt_ended(self, event: AttemptEnded) -> None:
        self.heard.append(("attempt_ended", event))

    def retry_scheduled(self, event: RetryScheduled) -> None:
        self.heard.append(("retry_scheduled", event))

    def limit_waited(self, event: LimitWaited) -> None:
        self.heard.append(("limit_waited", event))

    def sending_stopped(self, event: SendingStopped) -> None:
        self.heard.append(("sending_stopped", event))

    def page_read(self, event: PageRead) -> None:
        self.heard.append(("page_read", event))


class Broken(Observer):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def request_sent(self, event: RequestSent) -> None:
        raise self.error

    def limit_waited(self, event: LimitWaited) -> None:
        raise self.error


@pytest.fixture
def events(request_details: RequestDetails, sent: RequestSent) -> dict[str, object]:
    return {
        "request_sent": sent,
        "attempt_ended": AttemptEnded(sent=sent, seconds=0.1, status=200),
        "retry_scheduled": RetryScheduled(request=request_details, attempt=1, delay=0.5),
        "limit_waited": LimitWaited(request=request_details, seconds=0.5),
        "sending_stopped": SendingStopped(reason="cloudflare", seconds=300.0),
        "page_read": PageRead(
            owner_kind="person", owner_id=1, start=0, updates=5, more_items=False
        ),
    }


def tell(observer: Observer, method: str, event: object) -> None:
    cast("Callable[[object], None]", getattr(observer, method))(event)


def test_every_observer_hears_of_every_event(events: dict[str, object]) -> None:
    first, second = Recorder(), Recorder()
    observers = Observers([first, Observer(), second])
    for method, event in events.items():
        tell(observers, method, event)
    assert first.heard == second.heard == list(events.items())


def test_each_event_has_a_method(events: dict[str, object]) -> None:
    methods = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction)}
    assert {name for name in methods if not name.startswith("_")} == events.keys()


def test_the_exceptions_of_one_observer_reach_nobody_and_are_logged_once(
    events: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    observers = Observers([Broken(ValueError("disk full")), recorder])
    for method, event in [*events.items(), *events.items()]:
        tell(observers, method, event)
    assert len(recorder.heard) == 2 * len(events)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("pipeflow", "ERROR")
    assert record.getMessage().startswith("Broken.request_sent failed")
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "disk full"


def test_each_observer_that_fails_is_logged(
    sent: RequestSent, caplog: pytest.LogCaptureFixture
) -> None:
    Observers([Broken(ValueError("one")), Broken(ValueError("two"))]).request_sent(sent)
    assert len(caplog.records) == 2


def test_a_cancelled_task_that_an_observer_looks_at_cancels_nothing(
    sent: RequestSent, caplog: pytest.LogCaptureFixture
) -> None:
    Observers([Broken(asyncio.CancelledError())]).request_sent(sent)
    assert len(caplog.records) == 1


def test_what_ends_the_program_passes(sent: RequestSent) -> None:
    with pytest.raises(KeyboardInterrupt):
        Observers([Broken(KeyboardInterrupt())]).request_sent(sent)


@pytest.mark.parametrize("wrong", [Recorder, print, None])
def test_what_is_not_an_observer_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="derive its class from"):
        Observers([cast("Observer", wrong)])


def test_a_coroutine_function_is_refused() -> None:
    class Awaited(Observer):
        async def page_read(self, event: PageRead) -> None:  # type: ignore[override]
            ...

    with pytest.raises(TypeError, match=r"Awaited\.page_read is a coroutine function"):
        Observers([Awaited()])
