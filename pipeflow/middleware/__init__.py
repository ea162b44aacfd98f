"""aiohttp client middlewares for Pipedrive, as `PipedriveSession` uses them.

Each works in anyone's `aiohttp.ClientSession(middlewares=…)`, at any place, even twice, and
beside others that read the answer, stream it, replace it or send again. From the outside in:

```
RetryMiddleware                 sends again: each attempt passes all that follows anew
└── RefreshMiddleware           refreshes the credential after a 401, and sends once more
    └── RateLimitMiddleware     waits for a free slot of the burst limit; stops after a block
        └── yours
            └── AuthMiddleware  the credential, for one origin alone
                └── ObserverMiddleware      tells observers of each attempt
                    └── AttemptMiddleware   one attempt: the whole answer, within a time and a size
```

`pipeflow.middleware.stack` puts them together for a session.
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
