from __future__ import annotations

from pipeflow.walking.memory import Log, Recent


def test_a_dict_remembers_the_last_keys_and_forgets_the_first() -> None:
    recent: Recent[int, str] = Recent(3)
    assert not recent
    for key in range(6):
        recent[key] = str(key)
    assert recent
    assert not recent.has_forgotten
    assert [recent.get(key) for key in range(7)] == ["0", "1", "2", "3", "4", "5", None]
    recent[6] = "6"
    assert recent.has_forgotten
    assert [key in recent for key in range(8)] == [False] * 3 + [True] * 4 + [False]
    assert [recent.get(key) for key in (2, 3, 6)] == [None, "3", "6"]


def test_what_is_forgotten_stays_forgotten() -> None:
    recent: Recent[int, str] = Recent(1)
    for key in range(4):
        recent[key] = str(key)
    assert recent.has_forgotten
    assert recent.get(None) is None


def test_a_key_that_is_set_again_has_its_new_value() -> None:
    recent: Recent[int, str] = Recent(2)
    for key in (1, 2, 3):
        recent[key] = "old"
    recent[1] = "new"
    assert recent.get(1) == "new"


def test_a_log_counts_all_and_remembers_the_last() -> None:
    log = Log(3)
    for item in range(6):
        log.append(item)
    assert not log.has_forgotten
    assert log.since(0) == [0, 1, 2, 3, 4, 5]
    assert log.since(4) == [4, 5]
    log.append(6)
    assert log.has_forgotten
    assert log.count == 7
    assert log.since(0) == log.since(3) == [3, 4, 5, 6]
    assert log.since(5) == [5, 6]
    assert log.since(7) == []


def test_a_log_tells_the_place_of_an_item() -> None:
    log = Log(2)
    for item in (7, 8, 9, 8, 7):
        log.append(item)
    assert log.index(9) == 2
    assert log.index(8) == 3
    assert log.index(5) == log.count == 5
