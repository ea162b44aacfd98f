"""aiohttp client middlewares for Pipedrive, as `PipedriveSession` uses them.

Each works in anyone's `aiohttp.ClientSession(middlewares=…)`. From the outside in:

```
RetryMiddleware             tries again: every try below passes the limiter anew
└── RefreshMiddleware       refreshes the credential after a 401, and sends once more
    └── RateLimitMiddleware         waits for a free slot of the burst limit; stops after a block
        └── ObserverMiddleware      tells observers of each try
            └── AttemptMiddleware   one try: the whole answer, within a time and a size
                └── AuthMiddleware  the credential, for one origin alone
```
"""

from pipeflow.middleware.attempt import AttemptMiddleware
from pipeflow.middleware.auth import AuthMiddleware, RefreshMiddleware
from pipeflow.middleware.observe import ObserverMiddleware
from pipeflow.middleware.rate_limit import RateLimitMiddleware
from pipeflow.middleware.retry import RetryMiddleware

__all__ = [
    "AttemptMiddleware",
    "AuthMiddleware",
    "ObserverMiddleware",
    "RateLimitMiddleware",
    "RefreshMiddleware",
    "RetryMiddleware",
]
