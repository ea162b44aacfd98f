"""What can go wrong with an answer, each a small frozen value.

A fault may act in three places: on the server before it looks for the page (`act`), on the page
that is asked for (`ask`), on the finished answer (`answer`). `first + second` is both, in this
order: `Delay(0.2) + Status(503)`. A fault of one's own is a subclass of `Fault` with one of the
three.
"""

from pipeflow.testing.faults.base import Fault
from pipeflow.testing.faults.bodies import (
    Encoded,
    GzipBomb,
    HugeBody,
    InvalidJson,
    NullBody,
)
from pipeflow.testing.faults.connections import Delay, Disconnect, Outage, Reset, Stall
from pipeflow.testing.faults.paging import (
    ClampPages,
    InsertRecord,
    MissingNextStart,
    RemoveRecord,
    StuckPage,
)
from pipeflow.testing.faults.replies import (
    BadGateway,
    Block,
    Cloudflare,
    DailyBudgetExceeded,
    Headers,
    Redirect,
    Status,
    TooManyRequests,
)

__all__ = [
    "BadGateway",
    "Block",
    "ClampPages",
    "Cloudflare",
    "DailyBudgetExceeded",
    "Delay",
    "Disconnect",
    "Encoded",
    "Fault",
    "GzipBomb",
    "Headers",
    "HugeBody",
    "InsertRecord",
    "InvalidJson",
    "MissingNextStart",
    "NullBody",
    "Outage",
    "Redirect",
    "RemoveRecord",
    "Reset",
    "Stall",
    "Status",
    "StuckPage",
    "TooManyRequests",
]
