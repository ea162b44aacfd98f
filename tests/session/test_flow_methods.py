"""The methods of all kinds of owner are the same, and say what they take."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow import PipedriveSession
from pipeflow.flows import FlowMethods
from pipeflow.owners import OwnerKind
from pipeflow.walking.many import ManyPlan
from pipeflow.walking.plan import WalkPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    import attrs

FORMS = ["iter_{}_flow", "iter_{}_flow_pages", "get_{}_flow", "iter_{}_flows"]
METHODS = [form.format(kind.noun) for kind in OwnerKind for form in FORMS]
WATCHES = [
    form.format(kind.noun) for kind in OwnerKind for form in ("watch_{}_flow", "watch_{}_flows")
]
WALKS = [name for name in METHODS if not name.endswith("flows")]
LOOPS = [name for name in WALKS if name.startswith("iter")]


def method(name: str) -> Callable[..., Any]:
    """Fails for a kind of owner without its methods."""
    found: Callable[..., Any] = getattr(PipedriveSession, name)
    return found


def bound(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(PipedriveSession("made-up-token"), name)
    return found


def as_for_persons(text: str, kind: OwnerKind) -> str:
    """What the same text about persons would be."""
    text = text.replace(kind.legal_items.__name__, "FlowItem")
    text = re.sub(rf"\b([Aa])n? {kind.noun}", r"\1 person", text)
    text = text.replace(kind.noun, "person").replace(kind.noun.capitalize(), "Person")
    return " ".join(text.split())


def test_there_is_no_method_without_its_kind() -> None:
    public = {name for name in dir(FlowMethods) if not name.startswith("_")}
    assert public == {*METHODS, *WATCHES, "get_names", "iter_changed_persons"}


@pytest.mark.parametrize("name", WATCHES)
def test_the_watches_of_each_kind_are_those_of_persons(name: str) -> None:
    kind = name.split("_")[1]
    as_person = name.replace(kind, "person")
    assert inspect.signature(method(name)) == inspect.signature(method(as_person))
    one, other = (
        "".join(inspect.getsource(method(each)).split('"""')[2].split()).replace(",)", ")")
        for each in (name, as_person)
    )
    assert one.replace(kind.upper(), "PERSON") == other
    assert f"`{as_person}`" in str(method(name).__doc__) or kind == "person"


@pytest.mark.parametrize("name", ["watch_person_flow", "watch_person_flows"])
def test_each_argument_of_a_watch_is_documented(name: str) -> None:
    _, *parameters = inspect.signature(method(name)).parameters.values()
    for parameter in parameters:
        assert f"\n            {parameter.name}: " in str(method(name).__doc__)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", OwnerKind)
def test_the_methods_of_each_kind_are_those_of_persons(kind: OwnerKind, form: str) -> None:
    one, other = method(form.format(kind.noun)), method(form.format("person"))
    assert inspect.signature(one) == inspect.signature(other)
    assert as_for_persons(str(one.__doc__), kind) == as_for_persons(
        str(other.__doc__), OwnerKind.PERSON
    )
    assert as_for_persons(inspect.getsource(one), kind).replace(
        kind.name, "PERSON"
    ) == as_for_persons(inspect.getsource(other), OwnerKind.PERSON)


@pytest.mark.parametrize("name", METHODS)
def test_each_argument_is_explicit_and_documented(name: str) -> None:
    _, *parameters = inspect.signature(method(name)).parameters.values()
    documented = str(method(name).__doc__)
    assert [p.name for p in parameters[1:] if p.kind is not p.KEYWORD_ONLY] == []
    for parameter in parameters:
        assert f"\n            {parameter.name}: " in documented
    assert all(f"\n            {error}: " in documented for error in ("ValueError", "TypeError"))


def defaults(plan: type[attrs.AttrsInstance]) -> dict[str, object]:
    return {name: getattr(plan(), name) for name in inspect.signature(plan).parameters}


@pytest.mark.parametrize("name", METHODS)
def test_the_defaults_are_those_of_the_plans(name: str) -> None:
    parameters = inspect.signature(method(name)).parameters.values()
    shown = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    expected = defaults(WalkPlan)
    if name.startswith("get"):
        del expected["max_items"], expected["since"], expected["prefetch"]
    if name.endswith("flows"):
        expected |= defaults(ManyPlan)
    assert shown == expected


@pytest.mark.parametrize("name", METHODS)
def test_each_argument_reaches_the_walk(name: str) -> None:
    """None of them is dropped on its way: each is refused by its name when it is wrong."""
    parameters = inspect.signature(method(name)).parameters.values()
    whose = [1] if name.endswith("flows") else 1
    for parameter in parameters:
        if parameter.kind is not parameter.KEYWORD_ONLY:
            continue
        with pytest.raises((TypeError, ValueError), match=parameter.name):
            answer = bound(name)(whose, **{parameter.name: object()})
            answer.send(None)


@pytest.mark.parametrize("name", WALKS)
def test_a_wrong_id_is_refused(name: str) -> None:
    noun = name.split("_")[1]
    with pytest.raises(ValueError, match=f"the {noun} id must be 1 or more, not 0"):
        bound(name)(0).send(None)
    with pytest.raises(TypeError, match=f"the {noun} id must be an int, not '1'"):
        bound(name)("1").send(None)


@pytest.mark.parametrize("kind", OwnerKind)
@pytest.mark.parametrize("ids", [5, None, "123", b"123"])
def test_many_ids_are_an_iterable_of_ints(kind: OwnerKind, ids: object) -> None:
    with pytest.raises(TypeError, match=f"ids must be an iterable of ints, not {ids!r}"):
        bound(f"iter_{kind.noun}_flows")(ids)


@pytest.mark.parametrize("name", LOOPS)
def test_a_wrong_argument_is_refused_at_the_call_not_at_the_first_step(name: str) -> None:
    with pytest.raises(ValueError, match="id must be"):
        bound(name)(0)


@pytest.mark.parametrize("name", [name for name in METHODS if name.startswith("iter")])
def test_the_loops_are_async_generators(name: str) -> None:
    assert inspect.isasyncgen(bound(name)([1101] if name.endswith("flows") else 1101))


@pytest.mark.parametrize("kind", OwnerKind)
def test_one_page_is_a_coroutine_function(kind: OwnerKind) -> None:
    """`AsyncMock(spec=PipedriveSession)` looks at that."""
    assert inspect.iscoroutinefunction(method(f"get_{kind.noun}_flow"))


# ---- foreign keywords


@pytest.mark.parametrize("name", METHODS)
def test_the_words_of_other_libraries_are_answered_with_ours(name: str) -> None:
    for foreign in ("limit", "per_page", "count"):
        with pytest.raises(TypeError, match=f"{foreign}.*page_size= is for") as caught:
            bound(name)(1, **{foreign: 5}).send(None)
        assert str(caught.value).startswith(f"{name}() has no argument '{foreign}'; ")
        assert ("max_items= is for" in str(caught.value)) == (
            foreign != "per_page" and name.startswith("iter")
        )
    with pytest.raises(TypeError, match="did you mean 'page_size'"):
        bound(name)(1, pagesize=5).send(None)
    with pytest.raises(TypeError, match=r"no argument 'xyz'; it has ids?, .*, page_size"):
        bound(name)(1, xyz=5).send(None)


@pytest.mark.parametrize("kind", OwnerKind)
def test_one_page_has_no_total(kind: OwnerKind) -> None:
    with pytest.raises(TypeError, match="no argument 'max_items'; page_size= is for updates per"):
        bound(f"get_{kind.noun}_flow")(1, max_items=5).send(None)


def test_a_foreign_keyword_is_refused_before_anything_is_missing() -> None:
    with pytest.raises(TypeError, match="'person_id'; it has id, items"):
        bound("iter_person_flow")(person_id=5)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'id'"):
        bound("iter_person_flow")()
