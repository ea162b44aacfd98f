"""The pages of one walk or of many: fetched, decoded, and told to the observer."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve

from pipeflow.credentials import Redaction, hiding_secrets
from pipeflow.errors import DecodeError, PipeflowError
from pipeflow.middleware import RetryMiddleware
from pipeflow.observing import PageRead
from pipeflow.records.json_text import read_json
from pipeflow.walking.many import walk_many
from pipeflow.walking.paging import first_request
from pipeflow.walking.plan import LARGEST_PAGE
from pipeflow.walking.prefetching import walk_pages_ahead
from pipeflow.walking.since import pages_since

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from yarl import URL

    from pipeflow.answers import Answer
    from pipeflow.codec import PageDecoder
    from pipeflow.connection import Connection
    from pipeflow.credentials import Credential
    from pipeflow.observing import Observer
    from pipeflow.owners import Owner, OwnerKind
    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.retrying import RetryPolicy
    from pipeflow.walking.many import ManyPlan
    from pipeflow.walking.plan import PageRequest, WalkPlan
    from pipeflow.walking.prefetching import FetchAnswer
    from pipeflow.walking.workers import OwnerIds

__all__ = ["FlowReader"]

MOST_NULLS_PER_WALK = 20
"""Answers of `null` that a walk retries. They mostly pass, but some went on for hours."""


class FlowReader:
    """Reads histories over one connection.

    Args:
        connection: Sends the requests.
        credential: Knows the secrets to keep out of errors.
        retry: How often each page is attempted.
        cooldown: Seconds for which nothing is sent after a block.
        strict: Whether a record that breaks its shape is an error.
        decoder: Makes pages of answers.
        observer: Whom to tell of pages and retries.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        credential: Credential,
        retry: RetryPolicy,
        cooldown: float,
        strict: bool,
        decoder: PageDecoder,
        observer: Observer,
    ) -> None:
        self._connection = connection
        self._credential = credential
        self._retry = retry
        self._cooldown = cooldown
        self._strict = strict
        self._decoder = decoder
        self._observer = observer

    async def page(self, owner: Owner, plan: WalkPlan) -> FlowPage:
        """The first page of a walk."""
        try:
            fetch_answer = self._answer_fetcher(owner, plan)
            request = first_request(plan)
            page = self._page_of(await fetch_answer(request), request.start)
        except PipeflowError as error:
            error.resume_start = plan.start
            raise
        self._tell(owner, page)
        return page

    async def pages(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
        """One walk, page by page."""
        async with aclosing(self._walk(owner, plan)) as pages:
            async for page in pages:
                self._tell(owner, page)
                yield page

    async def updates(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowUpdate, None]:
        """One walk, update by update."""
        async with aclosing(self.pages(owner, plan)) as pages:
            async for page in pages:
                for update in page.updates:
                    yield update

    async def document(
        self, url_from: Callable[[URL], URL], parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """The JSON object from an endpoint other than a flow.

        Raises:
            PipeflowError: No answer came, it says no, or it is not a JSON object.
        """
        retry = RetryMiddleware(self._retry, observer=self._observer)
        with self._gate():
            answer = await self._connection.get(url_from, parameters, retry)
            if answer.status != 200:
                raise self._refusal(answer)
            try:
                found = read_json(answer.body)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise DecodeError("the answer is not a JSON object")
            return found

    async def polled_pages(
        self, owner: Owner, plan: WalkPlan, first_page: int, *, heard: Callable[[Answer], None]
    ) -> AsyncGenerator[FlowPage, None]:
        """One walk of a watch, whose first page is no larger than it needs to be.

        Args:
            owner: Whose history.
            plan: The filters.
            first_page: Updates of the first page. All further pages are as large as can be, since
                they cost the same.
            heard: Called with each answer.
        """
        fetch_answer = self._answer_fetcher(owner, plan)

        async def fetch_and_tell(request: PageRequest) -> Answer:
            if request.start > 0:
                request = evolve(request, limit=LARGEST_PAGE)
            answer = await fetch_answer(request)
            heard(answer)
            return answer

        plan = evolve(plan, page_size=first_page)
        walk = walk_pages_ahead(fetch_and_tell, self._page_of, plan)
        async with aclosing(walk) as pages:
            async for page in pages:
                self._tell(owner, page)
                yield page

    def updates_of_many(
        self, ids: OwnerIds, kind: OwnerKind, plan: WalkPlan, many: ManyPlan
    ) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
        """Many walks at once, update by update."""
        return walk_many(ids, kind, self.pages, plan, many)

    def _tell(self, owner: Owner, page: FlowPage) -> None:
        self._observer.page_read(
            PageRead(
                owner_kind=owner.kind.noun,
                owner_id=owner.id,
                start=page.start,
                updates=len(page.updates),
                more_items=page.more_items,
            )
        )

    def _walk(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
        fetch_answer = self._answer_fetcher(owner, plan)
        if plan.since is None:
            return walk_pages_ahead(fetch_answer, self._page_of, plan)
        # What is older does not count towards `max_items`.
        walk = walk_pages_ahead(fetch_answer, self._page_of, evolve(plan, max_items=None))
        return pages_since(walk, plan.since, most=plan.max_items)

    def _answer_fetcher(self, owner: Owner, plan: WalkPlan) -> FetchAnswer[Answer]:
        """Fetches the answers of one walk, with a retry of its own that bounds the walk's nulls."""
        retry = RetryMiddleware(
            self._retry, most_nulls=MOST_NULLS_PER_WALK, observer=self._observer
        )

        async def fetch_answer(request: PageRequest) -> Answer:
            parameters = plan.parameters(request)
            with self._gate():
                return await self._connection.get(owner.flow_url, parameters, retry)

        return fetch_answer

    def _page_of(self, answer: Answer, start: int) -> FlowPage:
        with self._gate():
            if answer.status != 200:
                raise self._refusal(answer)
            try:
                return self._decoder.decode(answer.body, strict=self._strict, start=start)
            except PipeflowError:
                # It may quote a part of a secret, cut so that redaction would miss it.
                answer = self._redacted(answer)
                return self._decoder.decode(answer.body, strict=self._strict, start=start)

    def _gate(self) -> hiding_secrets:
        """What every error passes on its way out."""
        return hiding_secrets(self._credential.secrets)

    def _refusal(self, answer: Answer) -> PipeflowError:
        return self._redacted(answer).error(datetime.now(UTC), cooldown=self._cooldown)

    def _redacted(self, answer: Answer) -> Answer:
        return Redaction(self._credential.secrets()).answer(answer)
