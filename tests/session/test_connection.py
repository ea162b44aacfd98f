from __future__ import annotations

import asyncio

from pipeflow.connection import Connection
from pipeflow.credentials import ApiTokenCredential


async def test_closing_leaves_alone_what_another_loop_had_under_way() -> None:
    connection = Connection(None, ApiTokenCredential("token"), [])
    lost = asyncio.new_event_loop()
    deadline = asyncio.timeout(None)
    connection._under_way[deadline] = lost
    await connection.close()
    lost.close()
    assert not deadline.expired()
