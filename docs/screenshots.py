"""Pictures of every page of the web UI, wide and narrow, light and dark: docs/pictures/ui and docs/ui-pictures.md.

    .venv/bin/python docs/screenshots.py http://localhost:8501 http://localhost:8000 [PAGE …]

Addresses of the UI and of its API, which should have something to show: models, a training that went well, predictions
just now, and true costs of the last hours. Without names of pages, all of them. Needs Chromium
(`tests/install-services`).
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from perfcast_client import Client

HERE = Path(__file__).parent
PICTURES = HERE / "pictures" / "ui"
CPU = "?what=CPU+utilisation+of+a+service&request_rate=130&active_users=65&db_connections=23"
SHOTS = {
    "predict": CPU,
    "networks": "networks",
    "capacity": "capacity",
    "training": "training?section=History&job={job}",
    "models": "models?model=cpu-utilization",
    "monitoring": "monitoring?model=cpu-utilization",
}
WIDTHS = {1280: 900, 400: 900}
LONGEST = 2400
"""Pixels; below that nobody looks."""
FIRST, FIRST_HEIGHT = ("capacity", 1280, "light"), 1205
"""The README's picture: as far as one sees at a glance."""
WATCHED_MS = 25_000
"""Monitoring counts from one look to the next; its curves need some of them."""
_STILL_MS = 3000
_TRIES = 4
_DRAWN = """() => {
  const app = document.querySelector("[data-test-script-state]"), main = document.querySelector("[data-testid=stMain]");
  const parts = main ? main.querySelectorAll("*").length : 0, now = performance.now();
  const moving = "[data-stale=true], [data-testid=stSkeleton], [data-testid=stSpinner]";
  const still = app?.dataset.testScriptState === "notRunning" && !document.querySelector(moving);
  if (!still || parts !== window.parts || !main.querySelector("h1")) { window.parts = parts; window.since = now; }
  return now - window.since > STILL;
}"""
"""Nothing runs for the page, and nothing has come or gone for so long."""
_COLOURS = 256


def main() -> None:
    """Take all of them."""
    address, api, *only = (one.rstrip("/") for one in sys.argv[1:])
    job = _job(api)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for page in only or SHOTS:
            for width in WIDTHS:
                for theme in ("light", "dark"):
                    picture = _taken(browser, f"{address}/{SHOTS[page].format(job=job)}", width, theme)
                    if (page, width, theme) == FIRST:
                        (PICTURES / "first.png").write_bytes(_top(picture))
                    (PICTURES / f"{page}-{width}-{theme}.png").write_bytes(picture)
                    print(page, width, theme, f"{len(picture) / 1000:.0f} kB", flush=True)
        browser.close()
    (HERE / "ui-pictures.md").write_text(_page())


def _job(api: str) -> str:
    """The training that went well with the most trials: its chart shows the most."""
    with Client(api) as client:
        return max(client.jobs.list(status="succeeded"), key=lambda job: job.trial).job_id


def _taken(browser: Browser, url: str, width: int, theme: str) -> bytes:
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    for _ in range(_TRIES):
        page.goto(url)
        if "monitoring" in url:  # while it follows, it never stands still
            page.wait_for_timeout(WATCHED_MS)
            page.get_by_text("Follow live").click()
        _wait_until_drawn(page)
        if not page.get_by_text("Failed to fetch").count():
            break
    else:
        raise SystemExit(f"{url} was not drawn in whole, {_TRIES} times: try again when the machine is quiet")
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(LONGEST, max(WIDTHS[width], height))})
    _wait_until_drawn(page)
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    return _small(picture)


def _wait_until_drawn(page: Page) -> None:
    page.evaluate("window.parts = undefined")
    page.wait_for_function(_DRAWN.replace("STILL", str(_STILL_MS)), timeout=120_000)


def _top(picture: bytes) -> bytes:
    whole = Image.open(io.BytesIO(picture))
    return _small(whole.crop((0, 0, whole.width, min(FIRST_HEIGHT, whole.height))))


def _small(picture: Image.Image) -> bytes:
    small = io.BytesIO()
    picture.convert("RGB").quantize(_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def _page() -> str:
    lines = ["# The web UI in pictures", "", "Written by `docs/screenshots.py` from a running installation."]
    for name in SHOTS:
        lines += ["", f"## {name.capitalize()}", ""]
        for width in WIDTHS:
            for theme in ("light", "dark"):
                lines.append(
                    f"![{name.capitalize()}, {width} pixels wide, {theme}](pictures/ui/{name}-{width}-{theme}.png)"
                )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
