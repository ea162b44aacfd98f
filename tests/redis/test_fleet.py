"""Many processes, one killed and one stopped: a small version of `python -m tests.redis.fleet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.redis.fleet import measure

if TYPE_CHECKING:
    from tests.redis.server import RedisServer


async def test_three_processes_keep_to_one_limit_whatever_becomes_of_two(
    shared_server: RedisServer,
) -> None:
    figures = await measure(3, 20, 5.0, harm=True, redis=shared_server)
    assert figures.refused == 0
    assert (
        figures.used > 0.5
    )  # in two and a half windows; the figures in the documentation are of ten
