"""Journeys through the web UI in a real Chromium, against a running `perfcast up`; what changes something is beside."""

import re
import signal
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, expect
from tests.browser import barriers, chromium
from tests.contract.conftest import start
from tests.journeys import NARROW, Visit, add, answers_of, asked, choose, number, settle
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port
from tests.stacks import Stack, ui_alone
from tests.stocked import CPU, OTHER_CPU

PAGES = {
    "Predict": "", "Networks": "networks", "Capacity": "capacity", "Training": "training", "Models": "models",
    "Monitoring": "monitoring",
}  # fmt: skip
"""Every page of the navigation, by its title: where it is."""


# Predict


def test_a_value_typed_into_predict_changes_the_answer_and_outlives_a_reload(visit: Visit) -> None:
    page = visit()
    number(page, "Batch size (images)", "64")
    until(lambda: answers_of(page) == ["32.6 ms"])  # 0.5 × 64 + 0.1 × 6
    assert "batch_size=64" in asked(page)
    page.reload()
    settle(page)
    until(lambda: answers_of(page) == ["32.6 ms"])
    expect(page.get_by_role("spinbutton", name="Batch size (images)")).to_have_value("64")


def test_a_preset_fills_predict_and_stands_in_the_address(visit: Visit) -> None:
    page = visit()
    choose(page, "Preset", "VGG-16, its dearest layer at full size")
    until(lambda: "output_channels=" in asked(page))


def test_two_models_are_compared_and_swept(visit: Visit) -> None:
    page = visit()
    page.get_by_role("radio", name="CPU utilisation of a service").click()
    expect(page.get_by_role("spinbutton", name="Request rate")).to_be_visible()
    add(page, "Models, side by side", OTHER_CPU)
    page.keyboard.press("Escape")
    until(lambda: len(answers_of(page)) == 2)
    number(page, "Request rate", "100")
    until(lambda: "20.0 %" in answers_of(page))  # 0.2 × 100
    choose(page, "Parameter", "Active users")
    expect(page.get_by_role("figure", name="along active users")).to_be_visible()
    assert OTHER_CPU in asked(page)
    page.get_by_role("button", name="As a table").last.click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def test_a_scenario_kept_in_predict_is_opened_again_from_the_table(visit: Visit) -> None:
    page = visit("?batch_size=32")
    until(lambda: answers_of(page) == ["16.6 ms"])
    page.get_by_role("button", name="Keep this scenario").click()
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    number(page, "Batch size (images)", "1")
    until(lambda: answers_of(page) == ["1.10 ms"])
    page.reload()  # the browser is remembered, not the tab
    settle(page)
    link = page.locator("[data-testid=stDataFrame] canvas [role=gridcell]").last  # drawn, so that it can't be clicked
    page.goto(urljoin(page.url, str(link.text_content())))
    settle(page)
    until(lambda: answers_of(page) == ["16.6 ms"])


# Capacity


def test_a_slider_of_capacity_moves_every_curve_and_outlives_a_reload(visit: Visit) -> None:
    page = visit(f"capacity?service={OTHER_CPU}")
    slider = page.get_by_role("slider", name=re.compile("Request rate"))
    before = answers_of(page)
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(lambda: answers_of(page) != before)
    until(lambda: "request_rate=" in asked(page))
    settle(page)
    moved = answers_of(page)
    page.reload()
    settle(page)
    until(lambda: answers_of(page) == moved)


def test_capacity_shows_each_cause_and_each_day_against_what_was_measured(visit: Visit) -> None:
    page = visit(f"capacity?service={CPU}")
    for name in (
        "Request rate: impact",
        "Active users: impact",
        "DB connections: impact",
        "A business day",
        "A Sunday",
    ):
        expect(page.get_by_role("figure", name=name)).to_be_visible()
    expect(page.get_by_role("figure", name="Request rate: impact")).to_contain_text("measured, most alike")


# Monitoring


def test_monitoring_draws_what_comes_while_it_is_open_until_it_is_told_to_stand_still(visit: Visit) -> None:
    page = visit("monitoring")
    expect(page.get_by_role("figure", name="Time of a prediction")).to_be_visible()
    until(lambda: "/s" in " ".join(answers_of(page)))
    page.get_by_text("Follow live").click()
    until(lambda: "live=false" in asked(page))
    choose(page, "Look closer at", OTHER_CPU)
    expect(page.get_by_text("No true cost has been told yet")).to_be_visible()
    assert f"model={OTHER_CPU}" in asked(page)


# Every page


@pytest.mark.parametrize("title", PAGES)
def test_every_page_is_reached_by_the_navigation(visit: Visit, title: str) -> None:
    page = visit("monitoring" if title == "Predict" else "")
    page.get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    settle(page)
    assert urlsplit(page.url).path == f"/{PAGES[title]}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("title", PAGES)
def test_nothing_of_ours_keeps_anybody_out(visit: Visit, title: str, theme: str) -> None:
    assert barriers(visit(PAGES[title], theme=theme)) == []


@pytest.mark.parametrize("title", PAGES)
def test_every_page_fits_a_narrow_screen(visit: Visit, title: str) -> None:
    page = visit(PAGES[title], size=NARROW)
    wide = page.evaluate(
        "[document.documentElement, document.querySelector('[data-testid=stMain]')].map(e => e.scrollWidth)"
    )
    assert max(wide) <= NARROW["width"]
    for one in page.get_by_test_id("stMetricValue").all():
        box = one.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= NARROW["width"]


INPUTS = """() => {
  window.known = one => {
    const group = one?.closest("[role=radiogroup]");  // its arrows lead from one to the next
    return group ? "group " + group.ariaLabel : one && [one.tagName, one.role, one.ariaLabel, one.innerText].join(" ");
  };
  const all = "[data-testid=stMain] :is(input:enabled, [role=slider], [role=combobox], button:enabled)";
  return [...document.querySelectorAll(all)]
    .filter(one => one.checkVisibility() && !one.matches("[tabindex='-1']")).map(known);
}"""
"""What the keyboard is to reach, by what it is known again when the page has drawn it anew."""


@pytest.mark.parametrize("title", PAGES)
def test_the_keyboard_reaches_every_input(visit: Visit, title: str) -> None:
    page = visit(PAGES[title] + ("?live=false" if title == "Monitoring" else ""))
    wanted, reached = until(lambda: page.evaluate(INPUTS)), set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(3 * len(wanted) + 60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("known(document.activeElement)"))
    assert set(wanted) - reached == set()


def test_a_dark_browser_gets_dark_pages(visit: Visit) -> None:
    grounds = {
        theme: visit("", theme=theme).locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
        for theme in ("light", "dark")
    }
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 24)"}


def test_no_page_asks_for_anything_outside(browser: Browser, stack: Stack) -> None:
    context, outside = browser.new_context(), set()
    page = context.new_page()
    page.on("request", lambda request: outside.add(request.url))
    for path in PAGES.values():
        page.goto(f"{stack.ui}/{path}")
        settle(page)
    context.close()
    assert [
        url for url in outside if not url.startswith((stack.ui, stack.ui.replace("http", "ws"), "data:", "blob:"))
    ] == []


# What can fail


def test_where_the_api_is_away_the_page_says_so_and_goes_on_when_it_is_back(
    visit: Visit, stocked: Path, tmp_path: Path
) -> None:
    port = free_port()
    with ui_alone(f"http://127.0.0.1:{port}", tmp_path) as address:
        page = visit("?batch_size=64", at=address)
        expect(page.get_by_text("The API doesn't answer")).to_be_visible()
        process, _ = start(stocked, API_PORT=str(port))
        page.get_by_role("button", name="Try again").click()
        until(lambda: answers_of(page) == ["32.6 ms"])
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def test_an_api_that_goes_away_while_monitoring_follows_is_told_once_and_followed_again_when_it_is_back(
    visit: Visit, stocked: Path, tmp_path: Path
) -> None:
    process, api = start(stocked)
    with ui_alone(api, tmp_path) as address:
        page = visit("monitoring", at=address)
        figure = page.get_by_role("figure", name="Time of a prediction")
        expect(figure).to_be_visible()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        away = page.get_by_text("The API doesn't answer")
        expect(away).to_be_visible()
        expect(figure).to_have_count(0)  # in place of all that follows, not above it
        settle(page)
        expect(away).to_have_count(1)
        process, _ = start(stocked, API_PORT=str(urlsplit(api).port))
        expect(figure).to_be_visible()  # nobody pressed anything
        expect(away).to_have_count(0)
        expect(page.get_by_role("combobox", name="Look closer at")).to_be_visible()
        page.close()  # before its server ends: it would miss that
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def test_a_key_that_is_needed_is_asked_for(visit: Visit, stocked: Path, tmp_path: Path) -> None:
    process, api = start(stocked, API_KEY="a-key-of-sixteen-letters")
    with ui_alone(api, tmp_path) as address:
        page = visit("capacity", at=address)
        field = page.get_by_label("API key", exact=True)
        field.fill("wrong")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("The API doesn't know this key.")).to_be_visible()
        assert barriers(page) == []
        field.fill("a-key-of-sixteen-letters")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_test_id("stMetricValue").first).to_be_visible()
        assert "sixteen" not in page.url
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


def test_a_missing_browser_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="tests/install-services"), chromium():
        pass
