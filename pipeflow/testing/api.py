"""All endpoints without a socket: a request in, an answer out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define, evolve

from pipeflow.testing.answers import Answer, PageShape, error_answer, page_answer
from pipeflow.testing.cloudflare import CLOUDFLARE_HEADERS
from pipeflow.testing.lists import list_answer
from pipeflow.testing.requests import listed, page_query, token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeflow.testing.answers import PageQuery
    from pipeflow.testing.gateway import Gateway
    from pipeflow.testing.histories.naming import AccountNames
    from pipeflow.testing.oauth import FakeOAuth
    from pipeflow.testing.requests import SeenRequest
    from pipeflow.testing.store import Store

__all__ = ["Api"]

_REFUSALS: Final = frozenset({401, 403, 429})


@define
class Api:
    """Everything that decides about an answer."""

    token: str
    store: Store
    names: AccountNames
    gateway: Gateway
    shape: PageShape
    next_start: bool
    default_page_size: int
    max_page_size: int
    oauth: FakeOAuth | None = None

    def answer(
        self,
        seen: SeenRequest,
        *,
        ask: Callable[[PageQuery], PageQuery],
        change: Callable[[Answer], Answer],
    ) -> Answer:
        """The answer to a request.

        Args:
            seen: The request.
            ask: Makes the page that is answered with of the one that is asked for.
            change: Makes the answer that is sent of the right one.
        """
        answer = self._admitted(seen, ask)
        paid = answer.status not in _REFUSALS
        said = {
            "x-correlation-id": seen.correlation_id,
            **CLOUDFLARE_HEADERS,
            **self.gateway.headers(seen.at),
        }
        headers = {**answer.headers, **said}
        answer = change(evolve(answer, headers=headers, accept=seen.accept))
        if paid and answer.status in _REFUSALS:
            self.gateway.refund(seen.cost)
        return answer

    def _admitted(self, seen: SeenRequest, ask: Callable[[PageQuery], PageQuery]) -> Answer:
        refusal = self._refusal_of(token_of(seen)) or self.gateway.admit(
            seen.at, cost=seen.cost, accept=seen.accept
        )
        return refusal or self._page(seen, ask)

    def _refusal_of(self, token: str | None) -> Answer | None:
        status = None
        if token != self.token:
            status = 401 if self.oauth is None else self.oauth.refusal_of(token)
        if status is None:
            return None
        return error_answer(
            status, "unauthorized access" if status == 401 else "the app is not installed"
        )

    def _page(self, seen: SeenRequest, ask: Callable[[PageQuery], PageQuery]) -> Answer:
        if seen.method != "GET":
            return error_answer(405, "Method not allowed", headers={"Allow": "GET"})
        if name := listed(seen.path):
            return list_answer(name, seen.query, self.store, self.names)
        if not seen.whose:
            return error_answer(404, "Unknown method .")
        history = self.store.find(seen.whose)
        if history is None:
            [kind] = seen.whose
            return error_answer(404, f"{kind.capitalize()} not found")
        try:
            query = page_query(
                seen.query,
                default_size=self.default_page_size,
                max_size=self.max_page_size,
                next_start=self.next_start,
            )
        except ValueError:
            return error_answer(400, "Bad request")
        query = ask(query)
        view = history.view(query.items, all_changes=query.all_changes)
        return page_answer(view, query, self.shape, self.store.related)
