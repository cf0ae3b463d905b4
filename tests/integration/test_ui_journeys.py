"""Journeys through the pages that change something, in a real Chromium: Training and Models. The API says what came."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.drafts import weighted
from tests.journeys import Visit, add, answers_of, asked, number, settle
from tests.onnx_files import small_network
from tests.patience import until
from tests.stacks import Stack
from tests.stocked import CPU, ONNXRUNTIME, OTHER_CPU, TORCH

from perfcast.workloads import builtin_workloads
from perfcast_client import Client, NotFound

NOBODY = "a-model-of-before"


@pytest.fixture
def api(stack: Stack) -> Client:
    return Client(stack.api)


@pytest.fixture
def challenger(api: Client) -> str:
    """A version beside the champion."""
    graph = weighted(builtin_workloads()[CPU], request_rate=0.3)
    return str(api.models.upload(OTHER_CPU, graph, manifest={}).model_version)


def press(page: Page, name: str) -> None:
    """Press a button of the page, once it has come to rest."""
    settle(page)
    page.get_by_role("button", name=name, exact=True).click()


def agree(page: Page, name: str) -> None:
    """Answer the question that the page asks back."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_have_count(0)


def cells(page: Page) -> list[str]:
    """What the tables that are drawn hold."""
    return page.locator("[data-testid=stDataFrame] canvas [role=gridcell]").all_text_contents()


def begin(page: Page, model: str, family: str, trials: int) -> None:
    """Fill in the form of Training, and start."""
    settle(page)
    page.get_by_role("combobox", name="Model that gets the versions").fill(model)
    page.keyboard.press("Enter")
    settle(page)
    add(page, "Families to try", family)
    page.keyboard.press("Escape")
    number(page, "Trials", str(trials))
    press(page, "Start training")


def the_job(api: Client, model: str, *statuses: str) -> str:
    """The id of a model's job once it has come so far."""
    return until(lambda: next((job.job_id for job in api.jobs.list(model=model) if job.status in statuses), ""))


# Training


def test_a_quick_run_is_started_and_becomes_a_version(visit: Visit, api: Client) -> None:
    page = visit("training")
    begin(page, "quick", "Polynomial", 2)
    expect(page.get_by_text(re.compile("quick.* is queued|quick.* has version 1"))).to_be_visible()
    job = the_job(api, "quick", "succeeded")
    page.get_by_role("radio", name="History").click()
    until(lambda: "quick" in cells(page) and "Succeeded" in cells(page))
    page.goto(f"{page.url}&job={job}")
    settle(page)
    expect(page.get_by_role("link", name="Version 1 of quick")).to_be_visible()
    assert answers_of(page)[0] == "2 of 2"


def test_a_long_run_is_watched_as_it_goes_on_and_cancelled(visit: Visit, api: Client) -> None:
    page = visit("training")
    begin(page, "long", "Random forest", 5_000)
    expect(page.get_by_role("progressbar")).to_be_visible()
    until(lambda: any(re.match(r"[1-9][\d,]* of 5000", one) for one in answers_of(page)))
    before = answers_of(page)[0]
    until(lambda: answers_of(page)[0] != before)  # by itself
    expect(page.get_by_role("figure", name=re.compile("trials of long"))).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    agree(page, "Cancel the run")
    the_job(api, "long", "cancelled")
    expect(page.get_by_text("Nothing is training now")).to_be_visible()
    page.get_by_role("radio", name="History").click()
    until(lambda: "long" in cells(page) and "Cancelled" in cells(page))


def test_a_schedule_is_set_and_removed(visit: Visit, api: Client) -> None:
    page = visit(f"training?section=Schedules&schedule={CPU}")
    clock = page.get_by_role("textbox", name="By the clock (cron)")
    clock.fill("when I like")
    press(page, "Save the schedule")
    expect(page.get_by_text("cron: must have five fields")).to_be_visible()
    clock.fill("0 4 * * *")
    number(page, "With so many new rows", "5000")
    press(page, "Save the schedule")
    until(lambda: "cron 0 4 * * * (UTC), every 5,000 new rows" in cells(page))
    saved = api.schedules.get(CPU)
    assert (saved.cron, saved.new_rows) == ("0 4 * * *", 5000)
    press(page, "Remove the schedule …")
    agree(page, "Remove it")
    expect(page.get_by_text("No model is trained by itself yet")).to_be_visible()
    with pytest.raises(NotFound):
        api.schedules.get(CPU)


# Networks


def test_an_onnx_file_is_looked_through_and_its_layers_are_downloaded(visit: Visit) -> None:
    page = visit(f"networks?devices={TORCH}")
    page.get_by_role("radio", name="ONNX file").click()
    content = small_network(unknown="Softsign")
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.onnx", "mimeType": "application/onnx", "buffer": content}
    )
    expect(page.get_by_text("not in the sum")).to_be_visible()
    settle(page)
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download as CSV", exact=True).click()
    lines = downloaded.value.path().read_text().splitlines()
    assert downloaded.value.suggested_filename == f"mine-{TORCH}-1.csv"
    assert [line.split(",")[0] for line in lines] == ["layer", "conv", "relu", "pool", "fc"]


def test_a_limit_chooses_another_batch(visit: Visit) -> None:
    page = visit(f"networks?network=ResNet-18&devices={ONNXRUNTIME}")
    expect(page.get_by_text("Most images: ")).to_be_visible()
    number(page, "A call within (ms)", "0.001")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing stays within")).to_be_visible()
    until(lambda: "within=0.001" in asked(page))


# Models


def test_another_version_is_activated_and_rolled_back(visit: Visit, api: Client, challenger: str) -> None:
    page = visit(f"models?model={OTHER_CPU}&version={challenger}")
    press(page, "Activate")
    agree(page, "Activate")
    until(lambda: api.models.get(OTHER_CPU).champion == int(challenger))
    expect(page.get_by_text(f"Version {challenger} is the champion of {OTHER_CPU}")).to_be_visible()
    press(page, "Roll back")
    agree(page, "Roll back")
    until(lambda: api.models.get(OTHER_CPU).champion == 1)


def test_a_challenger_gets_a_share_of_the_callers_and_loses_it(visit: Visit, api: Client, challenger: str) -> None:
    page = visit(f"models?model={OTHER_CPU}&version={challenger}")  # which was made a moment ago
    expect(page.get_by_role("heading", name=f"Version {challenger} ")).to_be_visible()
    press(page, "Make it the challenger")
    agree(page, "Set")
    until(lambda: "challenger" in api.models.get(OTHER_CPU).aliases)
    expect(page.get_by_role("dialog")).to_have_count(0)
    settle(page)
    page.get_by_role("tab", name="Who answers").click()
    until(lambda: "view=Who+answers" in asked(page))
    slider = page.get_by_role("slider", name=re.compile("Challenger's share"))
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    press(page, "Set the split")
    agree(page, "Split")
    until(lambda: api.models.get(OTHER_CPU).traffic == {"champion": 97, "challenger": 3})
    press(page, "Clear")
    agree(page, "Clear")
    until(lambda: api.models.get(OTHER_CPU).aliases == {"champion": 1})


def test_a_bad_upload_is_refused_in_the_servers_words_below_its_field(visit: Visit, api: Client) -> None:
    page = visit(f"models?model={OTHER_CPU}&view=Upload")
    before = len(api.models.get(OTHER_CPU).versions)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "model.onnx", "mimeType": "application/onnx", "buffer": b"nothing of the kind"}
    )
    expect(page.get_by_text("model.onnx")).to_be_visible()
    press(page, "Upload the version")
    refusal = page.get_by_test_id("stForm").get_by_role("alert")
    expect(refusal).to_contain_text("graph: it is no ONNX file")
    assert len(api.models.get(OTHER_CPU).versions) == before


@pytest.mark.parametrize(
    "path",
    [
        f"?what=CPU+utilisation+of+a+service&cpu-utilization+models={NOBODY}",
        f"capacity?service={NOBODY}",
        f"networks?devices={NOBODY}",
        f"models?model={NOBODY}",
        f"monitoring?model={NOBODY}&live=false",
    ],
)
def test_a_link_to_a_model_that_is_no_more_says_so_and_shows_another(visit: Visit, path: str) -> None:
    page = visit(path)
    expect(page.get_by_text(re.compile(f"There is no (model|device) {NOBODY}"))).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_be_visible()
