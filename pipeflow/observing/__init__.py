"""What a session tells of its work to those who want to know."""

from pipeflow.observing.stats import SessionStats

__all__ = ["SessionStats"]
