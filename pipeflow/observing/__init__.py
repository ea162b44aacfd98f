"""What a session tells of its work: events, and the observers that hear of them."""

from pipeflow.observing.events import (
    AttemptEnded,
    LimitWaited,
    PageRead,
    RequestDetails,
    RequestSent,
    RetryScheduled,
    SendingStopped,
)
from pipeflow.observing.log import LogObserver
from pipeflow.observing.observer import Observer, Observers
from pipeflow.observing.stats import SessionStats

__all__ = [
    "AttemptEnded",
    "LimitWaited",
    "LogObserver",
    "Observer",
    "Observers",
    "PageRead",
    "RequestDetails",
    "RequestSent",
    "RetryScheduled",
    "SendingStopped",
    "SessionStats",
]
