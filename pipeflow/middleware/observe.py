"""Telling an observer of every attempt."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pipeflow.answers import Answer
from pipeflow.cost import request_tokens
from pipeflow.failures import failure_name
from pipeflow.observing import AttemptEnded, RequestDetails, RequestSent

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.observing import Observer

__all__ = ["ObserverMiddleware", "details_of"]

_NOT_CHARGED = frozenset({401, 403, 429})


class ObserverMiddleware:
    """Tells an observer when an attempt begins and when it ends.

    It belongs inside the retry and the limit, so that their waits do not count, and outside
    `AttemptMiddleware`, which reads the whole answer. Without that one, an attempt ends when its
    headers have come.

    Args:
        observer: Whom to tell. `pipeflow.observing.Observers` combines several into one and keeps
            their exceptions from the request.
        clock: A monotonic clock in seconds.
    """

    def __init__(self, observer: Observer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._observer = observer
        self._clock = clock
        self._attempts: WeakKeyDictionary[ClientRequest, int] = WeakKeyDictionary()

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request and tells of it."""
        # A retry sends the same request again.
        attempt = self._attempts.get(request, 0) + 1
        self._attempts[request] = attempt
        sent = RequestSent(request=details_of(request), attempt=attempt)
        self._observer.request_sent(sent)
        begun = self._clock()
        try:
            response = await handler(request)
        except BaseException as error:
            self._observer.attempt_ended(
                AttemptEnded(sent=sent, seconds=self._clock() - begun, error=failure_name(error))
            )
            raise
        self._observer.attempt_ended(
            AttemptEnded(
                sent=sent,
                seconds=self._clock() - begun,
                status=response.status,
                tokens=0 if response.status in _NOT_CHARGED else request_tokens(request.url.path),
                daily_remaining=Answer(response.status, response.headers, b"")
                .rate_limit()
                .daily_remaining,
            )
        )
        return response


def details_of(request: ClientRequest) -> RequestDetails:
    """What an event may say of a request."""
    url = request.url
    return RequestDetails(request.method, url.host or "", url.port or 0, url.path)
