from __future__ import annotations

import pytest

from pipeflow.observing import RequestDetails, RequestSent


@pytest.fixture
def request_details() -> RequestDetails:
    return RequestDetails("GET", "acme.pipedrive.com", 443, "/api/v1/persons/1101/flow")


@pytest.fixture
def sent(request_details: RequestDetails) -> RequestSent:
    return RequestSent(request=request_details, attempt=1)
