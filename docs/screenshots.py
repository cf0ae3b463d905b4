"""Pictures of every page of the web UI, wide and narrow, light and dark: docs/pictures/ui and docs/ui-pictures.md.

    .venv/bin/python docs/screenshots.py http://localhost:8501

The UI at that address should have something to show: models, jobs, actuals. Needs Chromium (`tests/install-services`).
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
PICTURES = HERE / "pictures" / "ui"
CPU = "?what=CPU+utilisation+of+a+service&request_rate=130&active_users=65&db_connections=23"
SHOTS = {
    "predict": CPU,
    "capacity": "capacity",
    "training": "training?section=History",
    "models": "models?model=cpu-utilization",
    "monitoring": "monitoring?model=cpu-utilization",
}
WIDTHS = {1280: 900, 400: 900}
LONGEST = 2400
"""Pixels; below that nobody looks."""
_SETTLED_MS = 3000
_COLOURS = 128


def main() -> None:
    """Take all of them."""
    address = sys.argv[1].rstrip("/")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for page, path in SHOTS.items():
            for width in WIDTHS:
                for theme in ("light", "dark"):
                    picture = _taken(browser, f"{address}/{path}", width, theme)
                    (PICTURES / f"{page}-{width}-{theme}.png").write_bytes(picture)
                    print(page, width, theme, f"{len(picture) / 1000:.0f} kB", flush=True)
        browser.close()
    (HERE / "ui-pictures.md").write_text(_page())


def _taken(browser: Browser, url: str, width: int, theme: str) -> bytes:
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("[data-testid=stAppViewContainer] h1", timeout=60_000)
    page.wait_for_timeout(_SETTLED_MS)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(LONGEST, max(WIDTHS[width], height))})
    page.wait_for_timeout(_SETTLED_MS)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(_COLOURS)
    context.close()
    small = io.BytesIO()
    picture.save(small, "PNG", optimize=True)
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
