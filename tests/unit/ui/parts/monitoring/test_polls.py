"""The last minutes are the differences of looks."""

from perfcast.ui.parts.monitoring import Course, Look, between, read


def look(at: float, *lines: str) -> Look:
    return read("\n".join(lines), at)


def asked(count: float, status: str = "200", route: str = "/predict") -> str:
    return f'http_requests_total{{route="{route}",method="POST",status="{status}"}} {count}'


def predicted(count: float, model: str = "m", status: str = "success") -> str:
    return f'ml_predictions_total{{model_name="{model}",status="{status}"}} {count}'


def test_requests_are_counted_by_outcome_and_probes_are_none() -> None:
    before = look(0, asked(10), asked(1, "422"), asked(0, "503"), asked(5, route="/metrics"))
    after = look(5, asked(40), asked(3, "422"), asked(1, "503"), asked(9, route="/metrics"), asked(2, route="/models"))
    step = between(before, after)
    assert step.requests == {"answered": 32.0, "refused": 2.0, "failed": 1.0}
    assert step.seconds == 5.0


def test_a_counter_that_fell_began_anew() -> None:
    assert between(look(0, asked(100)), look(5, asked(4))).requests["answered"] == 4.0


def test_a_quantile_is_of_what_came_between() -> None:
    def buckets(*counts: int) -> list[str]:
        bounds = ("0.001", "0.01", "+Inf")
        name = 'ml_prediction_duration_seconds_bucket{{model_name="m",le="{}"}} {}'
        return [name.format(bound, count) for bound, count in zip(bounds, counts, strict=True)]

    step = between(look(0, *buckets(1000, 1000, 1000)), look(5, *buckets(1000, 1010, 1010)))
    assert step.milliseconds["median"] is not None
    assert 1 < step.milliseconds["median"] < 10
    assert between(look(0, *buckets(1, 1, 1)), look(5, *buckets(1, 1, 1))).milliseconds["median"] is None


def test_the_same_look_again_adds_nothing() -> None:
    course, first = Course(), look(0, predicted(1))
    course.take(first)
    course.take(first)
    assert list(course.steps) == []
    course.take(look(5, predicted(4)))
    course.take(look(5, predicted(4)))
    assert len(course.steps) == 1


def test_sums_are_of_all_steps_the_most_first() -> None:
    course = Course()
    for at, (a, b) in enumerate([(0, 0), (1, 5), (2, 9)]):
        course.take(look(at, predicted(a, "a"), predicted(b, "b"), predicted(7 * at, "c", "error"), predicted(0, "d")))
    assert list(course.sums(lambda step: step.predictions).items()) == [("b", 9.0), ("a", 2.0)]


def test_no_more_than_the_last_minutes_are_kept() -> None:
    course = Course()
    for at in range(1000):
        course.take(look(at, predicted(at)))
    assert len(course.steps) == 180
    assert course.steps[-1].until.timestamp() == 999
