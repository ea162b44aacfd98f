from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeflow.answers import Reason
from pipeflow.answers.reasons import LONGEST_REASON


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, Reason()),
        (
            {"error": "Person not found", "error_info": "Look it up.", "errorCode": 404},
            Reason("Person not found", "Look it up.", 404),
        ),
        ({"message": "Forbidden"}, Reason("Forbidden")),
        ({"message": "limit exceeded", "code": 17}, Reason("limit exceeded", None, 17)),
        ({"error": "no", "message": "because"}, Reason("no", "because")),
        ({"error": {"message": "no", "code": 5}}, Reason("no", None, 5)),
        ({"error": {"detail": {"message": "deep"}}}, Reason("deep")),
        ({"error": {"why": "own words"}}, Reason("own words")),
        ({"errors": ["one", "two"]}, Reason("one; two")),
        ({"errors": [{"message": "one"}, {"detail": "two"}]}, Reason("one; two")),
        ({"errors": {"start": ["must be a number"]}}, Reason("must be a number")),
        ({"errors": ["a", "b", "c", "d"]}, Reason("a; b; c")),
        ({"message": "no", "errors": ["start is wrong"]}, Reason("no", "start is wrong")),
        ({"title": "Forbidden", "detail": "Not yours."}, Reason("Forbidden", "Not yours.")),
        ({"detail": "Not yours."}, Reason("Not yours.")),
        ({"code": "ERR_SCOPE"}, Reason("ERR_SCOPE")),
        ({"errorCode": "404", "code": 7}, Reason("404")),
        ({"errorCode": True, "code": 7}, Reason(None, None, 7)),
        ({"error": 5, "errorCode": 1.5}, Reason()),
        ({"error": "", "message": "  "}, Reason()),
        ({"error": "same", "message": "same"}, Reason("same")),
    ],
)
def test_a_reason_is_read_in_every_known_form(document: dict[str, Any], reason: Reason) -> None:
    assert Reason.from_document(document) == reason


@pytest.mark.parametrize("length", [LONGEST_REASON, LONGEST_REASON + 1])
def test_a_reason_is_cut_where_it_stops_being_one(length: int) -> None:
    reason = Reason.from_document({"error": "x" * length, "code": "y" * length})
    assert reason == Reason("x" * LONGEST_REASON)
    assert Reason.from_document({"errors": ["a" * 400, "b" * 400]}).error == (
        "a" * 400 + "; " + "b" * 98
    )


def test_a_reason_too_deep_down_is_none() -> None:
    document: Any = "down here"
    for _ in range(6):
        document = [document]
    assert Reason.from_document({"errors": document}) == Reason()
    assert Reason.from_document({"errors": document[0]}) == Reason("down here")


@pytest.mark.parametrize("name", ["error", "error_info", "message", "detail"])
def test_the_daily_budget_is_named_in_any_part(name: str) -> None:
    document = {"error": "refused", name: "Daily request budget exceeded"}
    assert Reason.from_document(document).names_daily_budget()
    assert not Reason.from_document({"error": "request over limit"}).names_daily_budget()


@pytest.mark.parametrize(
    ("error", "record", "address"),
    [
        ("Person not found", True, False),
        ("Organization does not exist", True, False),
        ("Deal is deleted", True, False),
        ("Unknown method .", False, True),
        ("Cannot GET /persons/1/flow", False, True),
        ("Not found", False, False),
        ("The person in charge is out", False, False),
        ("Impersonation not found", False, False),
    ],
)
def test_a_missing_record_is_told_from_an_unknown_address(
    error: str, *, record: bool, address: bool
) -> None:
    reason = Reason(error)
    assert (reason.names_record(), reason.names_address()) == (record, address)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "errors", "code", "detail", "x"]), inner
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["error", "error_info", "errors", "code", "message"]),
                       ANY_JSON))  # fmt: skip
def test_no_document_whatever_breaks_the_reading(document: dict[str, Any]) -> None:
    reason = Reason.from_document(document)
    assert reason.error is None or 0 < len(reason.error) <= LONGEST_REASON
    assert type(reason.error_code) in {int, type(None)}
