"""What many processes share in a Redis: the burst limit, and the tokens of an OAuth app.

It needs the extra `redis`: `pip install "pipeflow[redis]"`. Redis 6.2 or newer, or Valkey.
"""

try:
    import redis.exceptions  # noqa: F401
except ImportError as _error:  # pragma: no cover - shown in a process of its own
    raise ImportError('pipeflow.redis needs redis-py: pip install "pipeflow[redis]"') from _error

from pipeflow.redis.limiter import RedisBurstLimiter
from pipeflow.redis.token_store import RedisTokenStore

__all__ = ["RedisBurstLimiter", "RedisTokenStore"]
