"""The first signal lets a command end in order, the second ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pipeflow.cli.signals import Interrupted, interruptible, run


def test_what_is_not_interrupted_ends_with_its_result() -> None:
    async def main() -> int:
        await asyncio.sleep(0)
        return 5

    before = signal.getsignal(signal.SIGTERM)
    assert run(main()) == 5
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_first_signal_cancels() -> None:
    cleaned_up: list[int] = []

    async def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(1)

    with pytest.raises(Interrupted) as ended:
        run(main())
    assert ended.value.signal == signal.SIGTERM
    assert cleaned_up == [1]


def test_the_second_signal_does_not_wait() -> None:
    async def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()

    with pytest.raises(Interrupted) as ended:
        run(main())
    assert ended.value.signal == signal.SIGTERM


def test_a_cancellation_without_a_signal_stays_one() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(main())


def test_an_interruptible_block_is_left_at_once() -> None:
    with pytest.raises(Interrupted), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)


def test_where_there_is_no_sighup_the_others_are_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP")
    with pytest.raises(Interrupted), interruptible():
        signal.raise_signal(signal.SIGINT)
