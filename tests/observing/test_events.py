from __future__ import annotations

import pytest

from pipeflow.observing import RequestDetails, RequestSent


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/persons/1101/flow", "/v1/persons/{id}/flow"),
        ("/api/v1/deals/3", "/api/v1/deals/{id}"),
        ("/v1/leads/2f1e0c1a-0000-4000-8000-00000000000F/x", "/v1/leads/{id}/x"),
        ("/v1/persons", "/v1/persons"),
        ("/v1/1/2/3", "/v1/{id}/{id}/{id}"),
        ("/v1/3rd/a4", "/v1/3rd/a4"),
    ],
)
def test_a_template_has_no_ids(path: str, template: str) -> None:
    assert RequestDetails("GET", "localhost", 80, path).url_template == template


def test_a_request_reads_as_in_a_log(request_details: RequestDetails) -> None:
    assert str(request_details) == "GET /api/v1/persons/1101/flow"


def test_two_attempts_that_look_alike_are_two_keys(request_details: RequestDetails) -> None:
    first = RequestSent(request=request_details, attempt=1)
    second = RequestSent(request=request_details, attempt=1)
    assert len({first: 1, second: 2}) == 2
