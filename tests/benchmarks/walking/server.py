"""The one server process: fakes of Pipedrive, opened, changed and asked over stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from pipeflow.testing import FakePipedrive, generate_history, generate_related
from tests.benchmarks.walking.processes import ROOT, report

if TYPE_CHECKING:
    from types import TracebackType

    from pipeflow.testing import Fault, SeenRequest


Json: TypeAlias = Any
"""An argument for the other side, whose method checks its type."""


class Server:
    """The server process, as those see it who measure. Each method is one line to it."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def open(self, sizes: dict[int, int], **options: Json) -> dict[str, str]:
        """A new fake whose persons have histories of these sizes: its address and its token."""
        opened: dict[str, str] = self._ask("open", sizes=list(sizes.items()), options=options)
        return opened

    def begin(self, base_url: str, *, answer_delay: float) -> None:
        """Forgets the counts, and sets the answer time in seconds."""
        self._ask("begin", base_url=base_url, answer_delay=answer_delay)

    def counts(self, base_url: str) -> dict[str, float]:
        """Requests, refusals, tokens, and seconds from the first request to the last."""
        counts: dict[str, float] = self._ask("counts", base_url=base_url)
        return counts

    def lower(self, base_url: str, *, at_request: int, to: int) -> None:
        """Lowers the burst limit when so many requests have come."""
        self._ask("lower", base_url=base_url, at_request=at_request, to=to)

    def share(self, base_url: str, *, count: int, seconds: float) -> None:
        """Lets another program use so many requests of the allowance, again and again."""
        self._ask("share", base_url=base_url, count=count, seconds=seconds)

    def _ask(self, name: str, **arguments: Json) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps([name, arguments])}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Fakes:
    """The other side: the running fakes, by address."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._fakes: dict[str, FakePipedrive] = {}
        self._others: list[asyncio.Task[None]] = []

    async def open(self, sizes: list[tuple[int, int]], options: dict[str, Any]) -> dict[str, str]:
        persons = {size: generate_history(seed=4, size=size) for _, size in sizes}
        fake = FakePipedrive(
            persons={person_id: persons[size] for person_id, size in sizes},
            related=generate_related(),
            **options,
        )
        await self._stack.enter_async_context(fake)
        self._fakes[fake.base_url] = fake
        return {"base_url": fake.base_url, "api_token": fake.api_token}

    async def begin(self, base_url: str, answer_delay: float) -> None:
        fake = self._fakes[base_url]
        fake.reset_counts()
        fake.answer_delay = answer_delay

    async def counts(self, base_url: str) -> dict[str, float]:
        fake = self._fakes[base_url]
        times = [request.at for request in fake.requests]
        return {
            "requests": fake.request_count,
            "refusals": fake.refused_count,
            "tokens": fake.tokens_spent,
            "seconds": times[-1] - times[0],
        }

    async def lower(self, base_url: str, at_request: int, to: int) -> None:
        fake = self._fakes[base_url]

        def lower(_request: SeenRequest) -> Fault | None:
            if fake.request_count == at_request:
                fake.burst_limit = to
            return None

        fake.on_request = lower

    async def share(self, base_url: str, count: int, seconds: float) -> None:
        async def use() -> None:
            while True:
                self._fakes[base_url].use_allowance(count)
                await asyncio.sleep(seconds)

        self._others.append(asyncio.create_task(use()))


async def serve() -> None:
    async with AsyncExitStack() as stack:
        fakes = Fakes(stack)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, arguments = json.loads(line)
            report(await getattr(fakes, name)(**arguments))


if __name__ == "__main__":
    asyncio.run(serve())
