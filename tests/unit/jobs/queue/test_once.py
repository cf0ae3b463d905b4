"""Requests that their callers name: sent twice, they make one job."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from tests.workers import Shop

from perfcast.errors import Conflict
from perfcast.jobs import Asked, Jobs, Once


def test_a_request_that_comes_again_under_its_name_is_the_same_job(shop: Shop) -> None:
    once = Once.of("night 7", Asked(n_trials=7))
    first = shop.jobs.submit(shop.complete(n_trials=7), once=once)
    assert shop.jobs.submit(shop.complete(n_trials=7), once=once) == first
    assert shop.jobs.known(once) == first
    assert shop.jobs.page()[1] == 1


def test_another_name_or_none_makes_another_job(shop: Shop) -> None:
    names = (Once.of("one", Asked()), Once.of("two", Asked()), None, None)
    made = {shop.jobs.submit(shop.complete(), once=once).id for once in names}
    assert len(made) == 4


def test_something_else_under_the_same_name_is_a_conflict(shop: Shop) -> None:
    first = shop.jobs.submit(shop.complete(n_trials=7), once=Once.of("night", Asked(n_trials=7)))
    other = Once.of("night", Asked(n_trials=8))
    with pytest.raises(Conflict, match=first.id):
        shop.jobs.known(other)
    with pytest.raises(Conflict, match="use a new key"):
        shop.jobs.submit(shop.complete(n_trials=8), once=other)
    assert shop.jobs.page()[1] == 1


def test_of_many_that_come_at_once_one_makes_the_job(shop: Shop) -> None:
    once, together = Once.of("night", Asked()), Barrier(4)
    request = shop.complete()

    def submit(_: int) -> str:
        together.wait()
        return Jobs(shop.database, shop.transport).submit(request, once=once).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(submit, range(4)))) == 1
    assert shop.jobs.page()[1] == 1
