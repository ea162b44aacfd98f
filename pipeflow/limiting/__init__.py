"""The limits of the account: who may send when, and when nobody may."""

from pipeflow.limiting.blocks import block_error
from pipeflow.limiting.burst import BurstLimiter
from pipeflow.limiting.protocol import Limiter, Slot
from pipeflow.observing.events import BlockReason

__all__ = ["BlockReason", "BurstLimiter", "Limiter", "Slot", "block_error"]
