"""The page that `write_report` writes, beside what the registry knows."""

import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.drafts import draft, weighted
from tests.unit.reports.conftest import RENDERING, timed_rows
from tests.unit.reports.pages import Page, read
from tests.workers import Shop

from perfcast.manifest import Metrics
from perfcast.palette import DARK, LIGHT
from perfcast.registry import Version
from perfcast.reports import Evidence, NoEvidence, find_evidence, write_report
from perfcast.reports._document import number
from perfcast.reports._measures import importance, outlook


def evidence_of(shop: Shop, version: Version) -> Evidence:
    found = find_evidence(version, shop.registry.graph(version), shop.datasets)
    assert isinstance(found, Evidence), found.why
    return found


def written(shop: Shop, version: Version, folder: Path) -> Page:
    write_report(version, find_evidence(version, shop.registry.graph(version), shop.datasets), folder)
    return read(folder)


@pytest.fixture(scope="module")
def folder(shop: Shop, timed: Version, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a version that was split by time."""
    folder = tmp_path_factory.mktemp("report")
    write_report(timed, evidence_of(shop, timed), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return read(folder)


def test_the_graph_answers_again_as_well_as_the_registry_says(shop: Shop, timed: Version, rendering: Version) -> None:
    for version in (timed, rendering):
        evidence, metrics = evidence_of(shop, version), version.manifest.metrics
        assert metrics is not None
        assert len(evidence.part) == metrics.rows
        assert np.abs(evidence.predicted - evidence.measured).mean() == pytest.approx(metrics.mae, rel=1e-3)


def test_its_numbers_are_those_of_the_registry(page: Page, timed: Version) -> None:
    metrics, data = timed.manifest.metrics, timed.manifest.data
    assert metrics is not None
    assert data is not None
    assert page.row("mean error (MAE)")[0] == number(metrics.mae, "percent")
    assert page.row("R²")[0] == number(metrics.r2)
    held, worst, width, relative = page.row("90 %")
    assert worst == number(metrics.worst_fifth["0.9"], "%")
    assert held == number(metrics.coverage["0.9"], "%")
    assert width == number(metrics.width["0.9"], "percent")
    assert relative == number(metrics.relative_width["0.9"], "%")
    assert page.row("rows to test") == [number(metrics.rows)]
    assert page.row("sha256") == [data.digest]
    low, high = timed.manifest.ranges["request_rate"]
    assert page.row("request_rate")[0] != ""
    assert [number(low), number(high), "requests/s"] in [row[1:] for row in page.rows if row[0] == "request_rate"]
    assert page.row("graph's sha256") == [timed.manifest.graph.sha256]


def test_it_has_a_section_for_each_question_and_links_to_each(page: Page) -> None:
    expected = ["Accuracy", "Calibration", "Residuals", "Importance", "Limits", "Data card", "Version"]
    assert page.headings == expected
    links = {value for value in page.values("href") if value.startswith("#") and "report" not in value}
    assert {f"#{title.lower().replace(' ', '-')}" for title in expected} <= links


def test_it_needs_no_network_and_no_file_beside_it(page: Page) -> None:
    assert all(value.startswith("#") for value in [*page.values("href"), *page.values("xlink:href")])
    assert page.values("src") == []
    assert "url(" not in page.text.replace("url(#", "")
    assert "@import" not in page.text
    assert "script" not in {tag for tag, _ in page.attributes}


def test_each_picture_has_words_and_a_png(page: Page, folder: Path) -> None:
    pictures = [attributes for tag, attributes in page.attributes if attributes.get("role") == "img"]
    files = sorted(folder.glob("*.png"))
    assert len(pictures) == len(files) >= 14
    assert all(len(attributes["aria-label"] or "") > 30 for attributes in pictures)
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)
    assert (folder / "residuals-over-time.png").exists()


def test_no_id_stands_twice_and_every_reference_leads_somewhere(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    referred = {value[1:] for value in [*page.values("href"), *page.values("xlink:href")]}
    referred |= set(re.findall(r"url\(#([^)]+)\)", page.text))
    assert referred <= set(ids)


def test_colours_are_the_palettes_in_light_and_dark_and_nothing_else(page: Page) -> None:
    for palette in (LIGHT, DARK):
        for role in fields(palette):
            assert f"--{role.name}: {getattr(palette, role.name)};" in page.text
    drawn = "".join(re.findall(r"<svg.*?</svg>", page.text, flags=re.DOTALL))
    assert "var(--accent)" in drawn
    assert re.findall(r"#[0-9a-f]{6}\b", drawn) == []


def test_features_are_ranked_by_what_the_answers_hang_on(shop: Shop, timed: Version, rendering: Version) -> None:
    ranked = [one.features for one in importance(evidence_of(shop, timed))]
    assert ranked[:2] == [("request_rate",), ("active_users",)]
    assert ("hour_sin", "hour_cos", "minute_sin", "minute_cos", "is_business_hour") in ranked
    rises = {one.features[0]: one.rise for one in importance(evidence_of(shop, rendering))}
    assert rises["pages"] > rises["quality"] > 20
    assert abs(rises["images"]) < 2


def test_costs_judged_relatively_have_residuals_in_percent_and_choices_by_name(
    shop: Shop, rendering: Version, tmp_path: Path
) -> None:
    page = written(shop, rendering, tmp_path)
    assert "median (%)" in next(row for row in page.rows if row[0] == "feature" and "rows" in row)
    assert page.row("quality")[:2] == ["draft", "draft"]
    assert page.row("origin: source") == ["a <lab>"]
    assert not (tmp_path / "residuals-over-time.png").exists()


def test_the_residuals_over_a_feature_add_up_to_the_held_out_rows(page: Page, timed: Version) -> None:
    metrics = timed.manifest.metrics
    assert metrics is not None
    along = [row for row in page.rows if row[0] == "request_rate" and len(row) == 7]
    assert sum(int(row[3]) for row in along) == metrics.rows
    assert len(along) == 8


def test_a_version_without_rows_says_why_and_shows_what_it_knows(shop: Shop, tmp_path: Path) -> None:
    version = shop.registry.add("uploaded", draft(RENDERING, weighted(RENDERING, pages=1.0), calibrated=False))
    page = written(shop, version, tmp_path)
    assert page.headings == ["Accuracy", "Calibration", "Limits", "Data card", "Version"]
    assert "doesn&#x27;t say which rows it was made from" in page.text
    assert "Uncalibrated" in page.text
    assert page.row("mean error (MAE)")[0] == "1.5 ms"
    assert list(tmp_path.glob("*.png")) == []


def test_a_version_that_brings_no_figures_says_so(shop: Shop, tmp_path: Path) -> None:
    made = draft(RENDERING, weighted(RENDERING, pages=2.0), calibrated=False)
    manifest = msgspec.structs.replace(made.manifest, metrics=None)
    page = written(shop, shop.registry.add("bare", replace(made, manifest=manifest)), tmp_path)
    assert "No held-out figures are known" in page.text


def test_rows_that_are_no_longer_kept_are_not_guessed(shop: Shop, timed: Version) -> None:
    facts = timed.manifest.data
    assert facts is not None
    moved = msgspec.structs.replace(timed.manifest, data=msgspec.structs.replace(facts, digest="0" * 64))
    found = find_evidence(replace(timed, manifest=moved), shop.registry.graph(timed), shop.datasets)
    assert isinstance(found, NoEvidence)
    assert found.why == "its dataset, shop@00000000, isn't kept here"


def test_of_a_version_that_learnt_from_the_newest_rows_only_later_ones_are_shown(
    shop: Shop, timed: Version, tmp_path: Path
) -> None:
    facts, whole = timed.manifest.data, timed_rows()
    assert facts is not None
    until = "2026-03-01T09:00:00.000000Z"  # of the 600 minutes the last 59 are later
    parts = {"train": 150, "calibrate": 40, "test": 50}
    some = msgspec.structs.replace(facts, parts=parts, learnt_until=until)
    version = replace(timed, manifest=msgspec.structs.replace(timed.manifest, data=some))
    found = find_evidence(version, shop.registry.graph(version), shop.datasets)
    assert isinstance(found, Evidence)
    assert whole.measured_at is not None
    assert found.part.measured_at is not None
    assert found.split is None
    assert found.part.measured_at.tolist() == whole.measured_at[-50:].tolist()
    write_report(version, found, tmp_path)
    assert "The 50 rows shown here are not exactly those of the registered figures" in read(tmp_path).text
    unknown = msgspec.structs.replace(facts, parts=parts, learnt_until=None)
    version = replace(timed, manifest=msgspec.structs.replace(timed.manifest, data=unknown))
    found = find_evidence(version, shop.registry.graph(version), shop.datasets)
    assert isinstance(found, NoEvidence)
    assert "can't be told from the rest" in found.why


def test_a_learning_curve_that_is_handed_in_is_shown(shop: Shop, timed: Version, tmp_path: Path) -> None:
    curve = [(40, Metrics(rows=120, mae=3.25, rmse=4.0, r2=0.5)), (390, Metrics(rows=120, mae=1.125, rmse=2.0, r2=0.9))]
    write_report(timed, evidence_of(shop, timed), tmp_path, curve=curve)
    page = read(tmp_path)
    assert page.row("40") == ["3.25", "0.5"]
    assert page.row("390") == ["1.125", "0.9"]
    assert "It doesn't tell whether more rows would help." in (tmp_path / "report.html").read_text().replace(
        "&#x27;", "'"
    )
    assert (tmp_path / "learning-curve.png").exists()


SHARES = [10, 20, 40, 70, 100]


@pytest.mark.parametrize(
    ("errors", "held", "told"),
    [
        (
            [8, 4, 2, 1.5, 1.2],
            500,
            "More rows would help: as it falls, twice as many would take about 32 % off the error.",
        ),
        ([8, 4, 2, 2.02, 2], 500, "More rows would hardly help"),
        ([8, 4, 2, 2.5, 3], 500, "More rows would hardly help"),
        ([8, 4, 2, 1.5, 1.2], 40, "Only 40 rows judge it, so that may be chance."),
        ([8, 4, 2, 1, 0], 500, "No row more is needed."),
    ],
)
def test_the_learning_curve_says_in_words_whether_more_rows_would_help(
    errors: list[float], held: int, told: str
) -> None:
    assert told in outlook(SHARES, errors, held)


def test_a_second_report_replaces_the_first(shop: Shop, timed: Version, folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    (again / "report.html").write_text("older")
    written(shop, timed, again)
    assert (again / "report.html").read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in folder.iterdir())


def test_a_feature_that_never_changes_has_no_picture(shop: Shop, timed: Version, tmp_path: Path) -> None:
    evidence = evidence_of(shop, timed)
    features = evidence.part.features.copy()
    features[:, 0] = 100
    same = replace(evidence, part=replace(evidence.part, features=features))
    write_report(timed, same, tmp_path)
    assert not (tmp_path / "residuals-over-request_rate.png").exists()
    assert (tmp_path / "residuals-over-active_users.png").exists()


def test_names_of_a_dataset_are_text_on_the_page_not_markup(shop: Shop, rendering: Version, tmp_path: Path) -> None:
    noted = replace(rendering, note="<script>alert(1)</script>")
    page = written(shop, noted, tmp_path)
    assert "<script" not in page.text
    assert page.row("note") == ["<script>alert(1)</script>"]
