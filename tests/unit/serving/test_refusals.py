"""Remembering what was refused."""

import pytest

from perfcast.errors import UnknownModel
from perfcast.serving._refusals import Refusals

ERROR = UnknownModel("m")


def test_a_refusal_holds_until_the_registry_changes() -> None:
    refusals = Refusals()
    refusals.add("m", ERROR, 3)
    assert str(refusals.find("m", 3)) == str(ERROR)
    assert refusals.find("m", 4) is None
    assert refusals.find("n", 3) is None


def test_a_refusal_may_end_by_itself() -> None:
    refusals = Refusals()
    refusals.add("m", ERROR, 3, seconds=600)
    assert str(refusals.find("m", 3)) == str(ERROR)
    refusals.add("m", ERROR, 3, seconds=0)
    assert refusals.find("m", 3) is None


def test_of_very_many_refusals_the_newest_are_remembered() -> None:
    refusals = Refusals()
    for number in range(5000):
        refusals.add(f"m{number}", ERROR, 0)
    known = [number for number in range(5000) if refusals.find(f"m{number}", 0)]
    assert known == list(range(5000 - len(known), 5000))
    assert 100 <= len(known) <= 2000


def test_what_is_remembered_holds_on_to_no_request() -> None:
    refusals = Refusals()
    with pytest.raises(UnknownModel) as raised:
        raise UnknownModel("cpu-utilisation", ["cpu-utilization"])
    refusals.add("cpu", raised.value, 0)
    found = refusals.find("cpu", 0)
    assert isinstance(found, UnknownModel)
    assert (found.__traceback__, found.__context__) == (None, None)
    assert "'cpu-utilisation'; did you mean 'cpu-utilization'?" in str(found)
