from __future__ import annotations

import asyncio

from pipeflow.connection import Connection


async def test_closing_leaves_alone_what_another_loop_had_under_way() -> None:
    connection = Connection(None, [])
    lost = asyncio.new_event_loop()
    deadline = asyncio.timeout(None)
    connection._under_way[deadline] = lost
    await connection.close()
    lost.close()
    assert not deadline.expired()
