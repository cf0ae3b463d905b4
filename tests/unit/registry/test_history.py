"""Stepping back, as arithmetic on histories."""

from hypothesis import given
from hypothesis import strategies as st

from perfcast.registry._moves import one_before
from perfcast.registry._types import AliasEvent


class Alias:
    """An alias as the registry would move it, without a database."""

    def __init__(self) -> None:
        self.present: int | None = None
        self.events: list[AliasEvent] = []

    def move(self, kind: str, after: int | None) -> None:
        if after != self.present:
            self.events.append(AliasEvent("m", "champion", kind, self.present, after, "", "", ""))  # type: ignore[arg-type]
            self.present = after

    def step_back(self, alive: set[int]) -> None:
        if self.present is not None:
            self.move("step_back", one_before(self.events, self.present, alive))


def test_going_back_to_an_older_version_by_name_can_be_undone() -> None:
    alias = Alias()
    for number in (1, 2, 1):
        alias.move("point", number)
    alias.step_back({1, 2})
    assert alias.present == 2


def test_a_version_pointed_to_again_after_stepping_back_has_the_older_one_before_it() -> None:
    alias = Alias()
    for number in (1, 2):
        alias.move("point", number)
    alias.step_back({1, 2, 3})
    alias.move("point", 3)
    alias.step_back({1, 2, 3})
    assert alias.present == 1


def test_after_a_cleared_alias_there_is_none_before() -> None:
    alias = Alias()
    for number in (1, None, 2):
        alias.move("point", number)
    alias.step_back({1, 2})
    assert alias.present is None


@given(numbers=st.lists(st.integers(1, 4), max_size=12))
def test_stepping_back_retraces_every_step(numbers: list[int]) -> None:
    alias = Alias()
    path: list[int | None] = [None]
    for number in numbers:
        alias.move("point", number)
        path.append(number) if number != path[-1] else None
    while alias.present is not None:
        path.pop()
        alias.step_back({1, 2, 3, 4})
        assert alias.present == path[-1]
    assert path == [None]


@given(
    steps=st.lists(st.integers(1, 4) | st.sampled_from([None, "back"]), max_size=30), alive=st.sets(st.integers(1, 4))
)
def test_stepping_back_always_ends_and_never_meets_a_deleted_version(steps: list[object], alive: set[int]) -> None:
    alias = Alias()
    for step in steps:
        if step == "back":
            alias.step_back({1, 2, 3, 4})
        else:
            alias.move("point", step)  # type: ignore[arg-type]
    for _ in range(len(steps)):
        alias.step_back(alive)
        assert alias.present is None or alias.present in alive
    assert alias.present is None
