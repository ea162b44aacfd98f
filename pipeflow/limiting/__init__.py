"""The limits of the account: who may send when."""

from pipeflow.limiting.burst import BurstLimiter

__all__ = ["BurstLimiter"]
