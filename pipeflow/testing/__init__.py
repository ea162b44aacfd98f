"""Pipedrive's flow API on a loopback port, for tests without a network.

```python
async with FakePipedrive() as fake:
    async with PipedriveSession(api_token=fake.api_token, base_url=fake.base_url) as pipedrive:
        ...
```

`FakePipedrive` answers as the API does, counts what it was asked, and fails on demand:
`fake.script(Status(503), None)`. It knows nothing of the client, so it also tests others.
"""

from pipeflow.testing.clock import Clock
from pipeflow.testing.controls import Controls
from pipeflow.testing.faults import (
    BadGateway,
    Block,
    ClampPages,
    Cloudflare,
    DailyBudgetExceeded,
    Delay,
    Disconnect,
    Encoded,
    Fault,
    GzipBomb,
    Headers,
    HugeBody,
    InsertRecord,
    InvalidJson,
    MissingNextStart,
    NullBody,
    Outage,
    Redirect,
    RemoveRecord,
    Reset,
    Stall,
    Status,
    StuckPage,
    TooManyRequests,
)
from pipeflow.testing.histories import generate_history, generate_names, generate_related
from pipeflow.testing.life import Life
from pipeflow.testing.oauth import FakeOAuth
from pipeflow.testing.requests import SeenRequest
from pipeflow.testing.server import FakePipedrive
from pipeflow.testing.webhooks import Webhook, WebhookAttempt

__all__ = [
    "BadGateway",
    "Block",
    "ClampPages",
    "Clock",
    "Cloudflare",
    "Controls",
    "DailyBudgetExceeded",
    "Delay",
    "Disconnect",
    "Encoded",
    "FakeOAuth",
    "FakePipedrive",
    "Fault",
    "GzipBomb",
    "Headers",
    "HugeBody",
    "InsertRecord",
    "InvalidJson",
    "Life",
    "MissingNextStart",
    "NullBody",
    "Outage",
    "Redirect",
    "RemoveRecord",
    "Reset",
    "SeenRequest",
    "Stall",
    "Status",
    "StuckPage",
    "TooManyRequests",
    "Webhook",
    "WebhookAttempt",
    "generate_history",
    "generate_names",
    "generate_related",
]
