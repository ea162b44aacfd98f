from __future__ import annotations

from pipeflow.observing import (
    AttemptEnded,
    LimitWaited,
    PageRead,
    RequestDetails,
    RequestSent,
    RetryScheduled,
    SessionStats,
)


def test_it_counts_what_it_hears(request_details: RequestDetails) -> None:
    stats = SessionStats()
    first = RequestSent(request=request_details, attempt=1)
    stats.request_sent(first)
    stats.attempt_ended(AttemptEnded(sent=first, seconds=0.1, error="TimeoutError"))
    stats.retry_scheduled(
        RetryScheduled(request=request_details, attempt=1, delay=0.5, error="TimeoutError")
    )
    stats.limit_waited(LimitWaited(request=request_details, seconds=0.25))
    second = RequestSent(request=request_details, attempt=2)
    stats.request_sent(second)
    stats.attempt_ended(AttemptEnded(sent=second, seconds=0.1, status=200, tokens=40))
    stats.page_read(PageRead(owner_kind="person", owner_id=1, start=0, updates=5, more_items=False))
    assert stats == SessionStats(requests=2, retries=1, waited_seconds=0.75, tokens=40, updates=5)
