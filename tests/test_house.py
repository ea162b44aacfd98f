"""The house is as the map draws it: no circle of imports, and no room that the map forgets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp
import pytest

import pipeflow

ROOT = Path(__file__).parents[1]
HOUSE = Path(str(pipeflow.__file__)).parent  # which may be installed elsewhere
PACKAGES = {"pipeflow": HOUSE, "tests": ROOT / "tests"}


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, directly or through others, in groups."""
    reached = {module: reachable_from(module, imports) for module in imports}
    groups = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in imports
    }
    return sorted(sorted(group) for group in groups if group)


def reachable_from(module: str, imports: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(imports[module])
    while ahead:
        other = ahead.pop()
        if other not in reached:
            reached.add(other)
            ahead.extend(imports[other])
    return reached


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Who imports whom, what stands under TYPE_CHECKING and in functions included."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_circles_are_found_whatever_their_length() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "d"}}) == [
        ["a", "b", "c"],
        ["d"],
    ]


def test_every_module_is_looked_at(imports: dict[str, set[str]]) -> None:
    modules = {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
        for folder in PACKAGES.values()
        for path in folder.rglob("*.py")
    }
    assert imports.keys() == modules


def test_no_modules_import_each_other(imports: dict[str, set[str]]) -> None:
    assert circles(imports) == []


def test_what_is_for_type_checkers_only_counts_too(imports: dict[str, set[str]]) -> None:
    assert "pipeflow.testing.controls" in imports["pipeflow.testing.faults.base"]


def test_the_map_names_every_room() -> None:
    drawn = re.findall(r"^(\w+)/? {2,}\S", pipeflow.__doc__ or "", re.MULTILINE)
    rooms = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert sorted(drawn) == sorted(room for room in rooms if not room.startswith("_"))


def test_the_map_marks_the_rooms_that_have_rooms_of_their_own() -> None:
    marked = re.findall(r"^(\w+)/ ", pipeflow.__doc__ or "", re.MULTILINE)
    assert all((HOUSE / room).is_dir() for room in marked)


def held_from_aiohttp() -> set[str]:
    """The rooms, and the modules within rooms, that the import contract holds from aiohttp."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {
        module
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "forbidden" and "aiohttp" in contract["forbidden_modules"]
        for module in contract["source_modules"]
    }


def test_every_room_that_knows_no_aiohttp_is_held_from_it() -> None:
    graph = grimp.build_graph("pipeflow", include_external_packages=True, cache_dir=None)
    rooms = graph.find_children("pipeflow")
    free = {
        room
        for room in rooms
        if not any(
            "aiohttp" in graph.find_upstream_modules(module)
            for module in {room, *graph.find_descendants(room)}
        )
    }
    assert free
    assert free <= held_from_aiohttp()
