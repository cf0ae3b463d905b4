"""The page Training: runs started, watched, cancelled; history; schedules; datasets. The test itself is the worker."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.drafts import draft, weighted
from tests.unit.ui.conftest import KEY, Open, refusals, running, words
from tests.workers import Shop, small_dataset

from perfcast.jobs.queue import Job, Progress
from perfcast.jobs.queue._submission import FAMILIES as SERVERS_FAMILIES
from perfcast.settings import load_settings
from perfcast.ui.parts import duration
from perfcast.ui.parts.training._words import FAMILIES
from perfcast.workloads import builtin_workloads

TRIALS = [
    {"trial": 1, "family": "xgboost", "state": "complete", "score": 2.5, "seconds": 1.0},
    {"trial": 2, "family": "polynomial", "state": "pruned", "score": None, "seconds": 0.5},
    {"trial": 3, "family": "polynomial", "state": "complete", "score": 1.25, "seconds": 0.7},
]
SEARCHING = Progress("searching", 0.4, 3, 1.25, "polynomial", 83.0, TRIALS)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two versions of one dataset, and nobody who trains."""
    shop = Shop(load_settings(data_dir=tmp_path_factory.mktemp("trained")))
    shop.datasets.add(small_dataset(400))
    shop.datasets.add(small_dataset(600))
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def address(shop: Shop) -> Iterator[str]:
    with running(shop.settings.data_dir) as address:
        yield address


@pytest.fixture
def api(shop: Shop, address: str) -> Iterator[str]:
    """The server, without what a test left waiting or running."""
    yield address
    for job in shop.jobs.page(limit=500)[0]:
        if not job.finished:
            shop.jobs.cancel(job.id)
    for job in shop.jobs.running():
        shop.jobs.finish_cancelled(job.fence)


@pytest.fixture
def registered(shop: Shop) -> str:
    """A model that has a version."""
    if "scheduled" not in [model.name for model in shop.registry.models()]:
        workload = builtin_workloads()["cpu-utilization"]
        shop.registry.add("scheduled", draft(workload, weighted(workload, request_rate=0.2)))
    return "scheduled"


def begin(shop: Shop, model: str) -> Job:
    """A job that runs, three trials in."""
    shop.submit(model_name=model, dataset="simulated", n_trials=7)
    job = shop.jobs.claim("the test")
    assert job is not None
    shop.jobs.beat(job.fence, spent_seconds=65.0, progress=SEARCHING)
    return job


def confirm(page: AppTest) -> AppTest:
    return page.button("do it").click().run()


def column(page: AppTest, name: str) -> list[Any]:
    """A column of the first table that has it."""
    return list(next(one.value for one in page.dataframe if name in one.value)[name])


def numbers(page: AppTest) -> dict[str, str]:
    return {one.label: str(one.value) for one in page.metric}


def test_families_are_the_servers() -> None:
    assert sorted(FAMILIES) == sorted(SERVERS_FAMILIES)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.04, "0.0 s"),
        (41.2, "41 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (86_401, "1 d"),
    ],
)
def test_a_time_is_told_to_two_units(seconds: float | None, said: str) -> None:
    assert duration(seconds).replace("\u202f", " ") == said


def test_a_run_is_started_with_what_was_chosen(open_page: Open, shop: Shop, registered: str) -> None:
    page = open_page("training")
    assert refusals(page) == []
    page.selectbox("model of cpu-utilization").set_value(registered)
    page.multiselect("families").set_value(["polynomial", "xgboost"])
    page.number_input("trials").set_value(11)
    page.number_input("minutes").set_value(2.5)
    page.number_input("newest").set_value(300)
    page.toggle("promote").set_value(False)
    page.button("start").click().run()
    assert refusals(page) == []
    assert "**scheduled** is queued" in str(page.toast[0].value)
    (job,) = shop.jobs.page(model=registered)[0]
    asked = job.request
    assert (asked.model, asked.n_trials, asked.timeout_seconds, asked.promote) == (registered, 11, 150.0, "never")
    assert (set(asked.families), asked.newest_rows) == ({"polynomial", "xgboost"}, 300)
    assert "**scheduled** · Waits for a worker" in words(page)


def test_an_address_brings_the_choice_back_and_older_rows_can_be_learnt_from(open_page: Open, shop: Shop) -> None:
    older = next(one for one in shop.datasets.list() if one.rows == 400)
    page = open_page("training", trials="33")
    assert page.number_input("trials").value == 33
    rows = page.selectbox("rows of cpu-utilization")
    assert rows.options[0] == "simulated · 600 rows"
    rows.set_value(f"simulated@{older.digest[:12]}").run()
    page.button("start").click().run()
    assert refusals(page) == []
    job = shop.jobs.page(model="cpu-utilization")[0][0]
    assert (job.request.digest, job.request.n_trials) == (older.digest, 33)


def test_a_key_that_may_not_train_is_told_so(open_page: Open, shop: Shop) -> None:
    with running(shop.settings.data_dir, API_KEY=f"{KEY}:read") as address:
        page = open_page("training", api=address)
        page.text_input[0].set_value(KEY)
        page.button[0].click().run()
        (told,) = refusals(page.button("start").click().run())
        assert "This key may not do that" in told


def test_a_run_is_shown_as_it_goes_on(open_page: Open, shop: Shop) -> None:
    begin(shop, "watched")
    page = open_page("training")
    assert refusals(page) == []
    assert "**watched** · Searching" in words(page)
    assert numbers(page)["Trial"] == "3 of 7"
    assert numbers(page)["Best so far"] == "1.25\u00a0points"
    assert numbers(page)["By family"] == "Polynomial"
    assert numbers(page)["Left, at most"] == "1\u202fmin 23\u202fs"
    assert column(page, "State") == ["complete", "pruned", "complete"]
    (chart,) = page.get("plotly_chart")
    dots, best = json.loads(chart.proto.spec)["data"]
    assert dots["y"] == [2.5, None, 1.25]
    assert best["y"] == [2.5, 2.5, 1.25]


def test_other_sections_have_a_line_about_it(open_page: Open, shop: Shop) -> None:
    begin(shop, "glanced-at")
    page = open_page("training", section="Datasets")
    assert "Training now: **glanced-at** 40\u202f%" in words(page)


def test_that_a_run_has_ended_is_told(open_page: Open, shop: Shop) -> None:
    job = begin(shop, "ending")
    page = open_page("training")
    shop.jobs.fail(job.fence, "its rows are gone")
    page.run()
    assert "**ending**: training failed: its rows are gone" in str(page.toast[0].value)
    assert "Nothing is training now" in words(page)


def test_a_run_is_cancelled_after_a_question(open_page: Open, shop: Shop) -> None:
    job = begin(shop, "unwanted")
    page = open_page("training")
    page.button(f"cancel {job.id}").click().run()
    assert "**unwanted** has done 3 of 7 trials" in words(page)
    assert not shop.jobs.find(job.id).cancel_requested_at
    assert refusals(confirm(page)) == []
    assert shop.jobs.find(job.id).cancel_requested_at
    assert "Ends within five seconds" in words(page)


def test_a_run_that_ended_before_the_answer_is_told_to_have_ended(open_page: Open, shop: Shop) -> None:
    job = begin(shop, "too-late")
    page = open_page("training")
    page.button(f"cancel {job.id}").click().run()
    shop.jobs.fail(job.fence, "its rows are gone")
    confirm(page)
    assert refusals(page) == []
    assert "**too-late**: training failed: its rows are gone" in str(page.toast[0].value)


def test_history_is_filtered_and_one_job_opened(open_app: Open, shop: Shop, api: str, registered: str) -> None:
    won = begin(shop, registered)
    shop.jobs.succeed(won.fence, version=4, outcome="promoted: better by 3 %")
    lost = begin(shop, "lost")
    shop.jobs.fail(lost.fence, "too few rows: 3")
    page = open_app(api=api).switch_page("views/training.py")
    page.query_params |= {"section": "History", "job": won.id}
    page.run()
    assert refusals(page) == []
    assert column(page, "Model")[:2] == ["lost", registered]
    assert column(page, "Version")[:2] == ["–", "4"]
    assert "Promoted: better by 3 %." in words(page)
    assert numbers(page)["Best"] == "1.25\u00a0points"
    assert numbers(page)["Took"] == "1\u202fmin 5\u202fs"
    (link,) = page.get("page_link")[-1:]
    assert f"model={registered}&version=4" in link.proto.query_string
    page.segmented_control("status").set_value("failed").run()
    assert set(column(page, "Status")) == {"Failed"}
    page.selectbox("of").set_value(registered).run()
    assert f"There is no failed job of `{registered}`" in words(page)


def test_an_address_opens_a_later_page_of_the_history(open_page: Open, shop: Shop) -> None:
    for number in range(25):
        shop.submit(model_name=f"paged-{number}", dataset="simulated", n_trials=1)
    pages = [open_page("training", section="History", page=page) for page in ("1", "2", "99999")]
    first, second, beyond = (list(page.dataframe[0].value["Model"]) for page in pages)
    assert first[0] == "paged-24"
    assert len(first) == 20
    assert second[0] == "paged-4"
    assert beyond == first


def test_a_failed_job_says_why(open_page: Open, shop: Shop) -> None:
    job = begin(shop, "broken")
    shop.jobs.fail(job.fence, "too few rows: 3")
    assert refusals(open_page("training", section="History", job=job.id)) == ["too few rows: 3"]


def test_a_job_that_is_not_there_is_told(open_page: Open) -> None:
    page = open_page("training", section="History", job="nowhere")
    assert refusals(page) == []
    assert "There is no job `nowhere`" in words(page)


def test_a_schedule_is_set_changed_and_removed(open_page: Open, shop: Shop, registered: str) -> None:
    page = open_page("training", section="Schedules", schedule=registered)
    assert "No model is trained by itself yet" in words(page)
    page.number_input(f"rows {registered}").set_value(5000)
    page.toggle(f"drift {registered}").set_value(True)
    save(page)
    assert refusals(page) == []
    assert column(page, "Trained anew") == ["cron 0 3 * * * (UTC), every 5,000 new rows, on drift or lost accuracy"]
    page.text_input(f"cron {registered}").set_value("when I like")
    save(page)
    assert any("cron: must have five fields" in one for one in refusals(page))
    page.text_input(f"cron {registered}").set_value("")
    save(page)
    assert refusals(page) == []
    assert column(page, "Trained anew") == ["every 5,000 new rows, on drift or lost accuracy"]
    page.button("remove schedule").click().run()
    confirm(page)
    assert refusals(page) == []
    assert "No model is trained by itself yet" in words(page)


def test_a_schedule_needs_a_trigger(open_page: Open, registered: str) -> None:
    page = open_page("training", section="Schedules", schedule=registered)
    page.text_input(f"cron {registered}").set_value("")
    save(page)
    (told,) = refusals(page)
    assert "at least one trigger" in told


def save(page: AppTest) -> None:
    (button,) = [one for one in page.button if one.label == "Save the schedule"]
    button.click().run()


def test_datasets_are_shown_with_their_quantiles_and_how_to_bring_more(open_page: Open) -> None:
    page = open_page("training", section="Datasets")
    assert refusals(page) == []
    assert column(page, "Rows") == [600, 400]
    assert "Request rate (requests/s)" in column(page, "Column")
    assert all(low <= high for low, high in zip(column(page, "Least"), column(page, "Median"), strict=True))
    assert "perfcast data import" in page.code[0].value


@pytest.mark.parametrize("section", ["Start", "Datasets"])
def test_without_rows_it_says_how_to_bring_some(open_page: Open, empty_api: str, section: str) -> None:
    page = open_page("training", api=empty_api, section=section)
    assert refusals(page) == []
    assert "perfcast data import" in page.code[0].value
    assert not [one for one in page.button if one.key == "start"]


@pytest.mark.parametrize(
    ("section", "said"), [("History", "Nothing has been trained"), ("Schedules", "Train one first")]
)
def test_empty_sections_say_what_to_do(open_page: Open, empty_api: str, section: str, said: str) -> None:
    page = open_page("training", api=empty_api, section=section)
    assert refusals(page) == []
    assert said in words(page)


@pytest.mark.parametrize("section", ["Start", "History", "Schedules", "Datasets"])
def test_where_the_api_is_away_it_says_so_once(open_page: Open, nobody: str, section: str) -> None:
    (told,) = refusals(open_page("training", api=nobody, section=section))
    assert nobody in told


def test_where_a_key_is_needed_it_is_asked_for(open_page: Open, keyed_api: str) -> None:
    page = open_page("training", api=keyed_api)
    assert "This API asks for a key" in words(page)
    page.text_input[0].set_value(KEY)
    page.button[0].click().run()
    assert refusals(page) == []
    assert page.button("start")
