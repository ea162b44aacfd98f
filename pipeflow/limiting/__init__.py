"""The account's limits: when each request may be sent, and when none may."""

from pipeflow.limiting.blocks import block_error
from pipeflow.limiting.burst import BurstLimiter
from pipeflow.limiting.protocol import Limiter, Slot
from pipeflow.observing.events import BlockReason

__all__ = ["BlockReason", "BurstLimiter", "Limiter", "Slot", "block_error"]
