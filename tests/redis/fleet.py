"""Many processes under one limit, against a server that counts: `python -m tests.redis.fleet`.

The server allows so many requests in any window, by its own clock, and notes who sent each. One
worker can be killed with -9 in the middle and one stopped for some seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from pathlib import Path

from attrs import define, field
from redis.asyncio import Redis

from pipeflow.answers import RateLimit
from pipeflow.redis import RedisBurstLimiter
from tests.redis.server import RedisServer

WINDOW = 2.0
UNDER_WAY = 32  # tasks that send, in all processes together
ROOT = Path(__file__).parents[2]


@define
class CountingServer:
    """Counts over a rolling window, refuses what is above, and remembers all."""

    limit: int
    announces: bool
    window: float = WINDOW
    seen: list[tuple[float, str]] = field(factory=list)
    refused: int = 0
    _in_window: deque[float] = field(factory=deque)
    _connections: set[asyncio.Task[None]] = field(factory=set)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)

    async def ended(self) -> None:
        """Every worker is gone."""
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            now = time.monotonic()
            while self._in_window and self._in_window[0] <= now - self.window:
                self._in_window.popleft()
            if len(self._in_window) < self.limit:
                self._in_window.append(now)
                self.seen.append((now, line.decode().strip()))
                remaining = self.limit - len(self._in_window)
                said = f"ok {self.limit} {remaining}" if self.announces else "ok - -"
            else:
                self.refused += 1
                said = "refused - -"
            writer.write(f"{said}\n".encode())
        writer.close()


async def work(name: str, url: str, port: int, limit: int, tasks: int) -> None:
    async with Redis.from_url(url) as redis:
        limiter = RedisBurstLimiter(redis, key="made-up-token", limit=limit, window=WINDOW)

        async def send() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                slot = await limiter.acquire()
                writer.write(f"{name}\n".encode())
                said, most, left = (await reader.readline()).decode().split()
                known = RateLimit() if most == "-" else RateLimit(int(most), int(left))
                slot.release(known)
                if said == "refused":
                    limiter.pause(None)

        await asyncio.gather(*(send() for _ in range(tasks)))


@define
class Figures:
    """What came of one run."""

    refused: int
    used: float
    fairness: float


async def measure(
    processes: int,
    limit: int,
    seconds: float,
    *,
    announces: bool = True,
    harm: bool = False,
    redis: RedisServer,
) -> Figures:
    """Runs the workers, from the second window on, when all of them have started."""
    async with Redis.from_url(redis.url) as client:
        await client.flushall()
    counting = CountingServer(limit, announces)
    server = await asyncio.start_server(counting.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    names = [f"worker-{number}" for number in range(processes)]
    command = [sys.executable, "-m", "tests.redis.fleet", "--port", str(port)]
    command += ["--redis", redis.url, "--limit", str(limit)]
    command += ["--tasks", str(UNDER_WAY // processes)]
    workers = {
        name: subprocess.Popen(  # noqa: ASYNC220 - it is a moment
            [*command, "--work", name], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        for name in names
    }
    harmed: set[str] = set()
    try:
        while len({name for _, name in counting.seen}) < processes:
            await asyncio.sleep(0.05)
        await asyncio.sleep(WINDOW)
        begin = time.monotonic()
        if harm:
            killed, stopped = names[:2]
            harmed = {killed, stopped}
            await asyncio.sleep(seconds / 4)
            workers[killed].kill()
            workers[stopped].send_signal(signal.SIGSTOP)
            await asyncio.sleep(min(5.0, seconds / 2))
            workers[stopped].send_signal(signal.SIGCONT)
        await asyncio.sleep(begin + seconds - time.monotonic())
        end = time.monotonic()
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
        server.close()
        await counting.ended()
    counted = Counter(name for moment, name in counting.seen if begin < moment <= end)
    shares = [counted[name] for name in names if name not in harmed]
    return Figures(
        refused=counting.refused,
        used=counted.total() / (limit * seconds / WINDOW),
        fairness=min(shares) / (sum(shares) / len(shares)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work")
    parser.add_argument("--port", type=int)
    parser.add_argument("--redis")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--processes", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work, options.redis, options.port, options.limit, options.tasks))
        return
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    print("| processes | limit per 2 s | announced | harm | refused | used | least share |")
    print("|---|---|---|---|---|---|---|")
    with RedisServer() as redis:
        for processes in options.processes:
            for limit in (20, 40):
                for announces, harm in ((True, False), (False, False), (True, True)):
                    figures = asyncio.run(
                        measure(
                            processes,
                            limit,
                            options.seconds,
                            announces=announces,
                            harm=harm,
                            redis=redis,
                        )
                    )
                    print(
                        f"| {processes} | {limit} | {'yes' if announces else 'no'} "
                        f"| {'one killed, one stopped' if harm else ''} | {figures.refused} "
                        f"| {figures.used:.1%} | {figures.fairness:.0%} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
