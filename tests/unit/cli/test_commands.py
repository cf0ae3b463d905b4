import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from perfcast.cli import main

Run = Callable[..., tuple[int, str, str]]

MINE = """
name: rendering
cost: {name: render_ms, unit: ms, minimum: 0, relative: true}
features:
  - {name: pages, type: integer, minimum: 1, maximum: 500}
  - {name: images, type: integer, minimum: 0, maximum: 50, default: 0}
  - {name: quality, type: choice, values: [draft, final]}
derived:
  - {name: images_per_page, expression: images / pages}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line in this process; gives exit status, standard output and standard error."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), shown.out, shown.err

    return call


@pytest.fixture
def rendering(tmp_path: Path) -> Path:
    """A folder with a user's own YAML file and measured rows."""
    random = np.random.default_rng(5)
    pages, images = random.integers(1, 500, 600), random.integers(0, 50, 600)
    final = random.integers(0, 2, 600)
    cost = (3 + 0.8 * pages + 2.5 * images) * (1 + final) * np.exp(random.normal(0, 0.03, 600))
    columns = {"pages": pages, "images": images, "quality": np.where(final, "final", "draft"), "render_ms": cost}
    pl.DataFrame(columns).write_csv(tmp_path / "rendering.csv")
    (tmp_path / "rendering.yaml").write_text(MINE)
    return tmp_path


def test_a_folder_that_is_new_is_told_once_so_that_nobody_wonders_where_everything_is(run: Run, tmp_path: Path) -> None:
    _, out, err = run("models", "list")
    assert f"{tmp_path / 'var'} is new" in err
    assert "is new" not in out
    assert "is new" not in run("models", "list")[2]


def test_a_users_own_workload_is_imported_trained_compared_and_asked(run: Run, rendering: Path) -> None:
    status, out, err = run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    assert status == 0, err
    assert "600 rows read, 0 refused" in err
    status, out, err = run("train", "--trials", "2", "--families", "xgboost,polynomial")
    assert status == 0, err
    assert "promoted" in err
    assert "polynomial" in out
    status, out, err = run("models", "list")
    assert "rendering" in out
    status, out, err = run("predict", "--model", "rendering", "pages=100", "images=10", "quality=final")
    answer = json.loads(out)
    assert answer["render_ms"] == pytest.approx((3 + 80 + 25) * 2, rel=0.15)
    assert answer["lower"] < answer["render_ms"] < answer["upper"]
    status, out, err = run("models", "compare", "rendering")
    assert out.count("rendering:") >= 2
    status, out, err = run("models", "activate", "rendering:1", "--reason", "to see it work")
    assert status == 0, err
    status, out, err = run("models", "show", "rendering")
    assert "to see it work" in out
    status, out, err = run("models", "deactivate", "rendering")
    assert status == 0, err
    status, out, err = run("models", "show", "rendering:1", "--json")
    assert json.loads(out)["workload"]["name"] == "rendering"
    status, out, err = run("models", "show", "rendering:1")
    assert "mean error (MAPE)" in out
    assert "trials" in out
    assert "xgboost" in out


def test_a_second_run_on_the_same_rows_is_judged_by_the_gate(run: Run, rendering: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    run("train", "--trials", "1", "--families", "polynomial")
    status, _, err = run("train", "--trials", "1", "--families", "polynomial")
    assert status == 0
    assert "stays a candidate" in err
    assert "1% better" in err


def test_data_can_be_generated_listed_and_shown(run: Run, tmp_path: Path) -> None:
    status, _, err = run("data", "generate", "--days", "1")
    assert status == 0, err
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "cpu_features_raw.csv",
        "cpu_features_scaled.csv",
        "cpu_features.parquet",
    }
    assert "simulated" in run("data", "list")[1]
    shown = run("data", "show", "simulated")[1]
    assert "request_rate" in shown
    assert "cpu_utilization" in shown


def test_a_dry_run_keeps_nothing(run: Run, rendering: Path) -> None:
    status, _, err = run("data", "import", "rendering.csv", "--workload", "rendering.yaml", "--dry-run")
    assert status == 0
    assert "nothing kept" in err
    assert "no datasets yet" in run("data", "list")[2]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("data", "import", "missing.csv", "--workload", "cpu-utilization"), "missing.csv: No such file"),
        (("data", "import", "rendering.csv", "--workload", "rendring"), "unknown workload 'rendring'"),
        (("data", "import", "rendering.csv", "--workload", "missing.yaml"), "missing.yaml: No such file"),
        (("data", "import", "rendering.csv"), "say which with --workload"),
        (("data", "show", "nothing"), "unknown dataset 'nothing'"),
        (("train", "--dataset", "nothing"), "unknown dataset 'nothing'"),
        (("train", "--workload", "nothing"), "unknown workload 'nothing'"),
        (("train", "--promote", "maybe"), "--promote must be auto or never"),
        (("models", "show", "nothing"), "unknown model 'nothing'"),
        (("models", "activate", "nothing:1"), "unknown model 'nothing'"),
        (("predict", "request_rate=1"), "no model for cpu-utilization yet"),
        (("predict", "--coverage", "0.7", "request_rate=1"), "coverage: must be one of"),
        (("profile", "--runtime", "tensorflow"), "runtime is 'tensorflow'"),
        (("profile", "--core", "4000"), "there is no CPU core 4000 here"),
        (("train",), "no datasets yet: perfcast data import FILE"),
        (
            ("data", "generate", "--days", "0.2", "--output", "rendering.csv/data"),
            "rendering.csv/data: Not a directory",
        ),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_status_1(
    run: Run, rendering: Path, words: tuple[str, ...], part: str
) -> None:
    status, out, err = run(*words)
    assert status == 1
    assert part in err
    told = [line for line in err.splitlines() if " is new, and " not in line]
    assert told[0].startswith("perfcast: ")
    assert "Traceback" not in err + out


def test_a_setting_that_cannot_be_used_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "eighty")
    status, _, err = run("models", "list")
    assert status == 1
    assert "API_PORT" in err


def test_predicting_names_every_wrong_field(run: Run, rendering: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    run("train", "--trials", "1", "--families", "polynomial")
    status, _, err = run("predict", "--model", "rendering", "pages=0", "qualty=final")
    assert status == 1
    assert "pages: must be between 1 and 500" in err
    assert "qualty: is not a feature of rendering; did you mean 'quality'?" in err
    assert "quality: is required" in err


def test_the_doctor_finds_a_broken_graph(run: Run, rendering: Path, tmp_path: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    run("train", "--trials", "1", "--families", "polynomial")
    status, out, _ = run("doctor")
    assert status == 0, out
    assert "answers" in out
    for path in (tmp_path / "var" / "artifacts").rglob("*"):
        if path.is_file():
            path.write_bytes(b"broken")
    status, out, _ = run("doctor")
    assert status == 1
    assert "wrong" in out


def test_a_name_that_no_dataset_can_have_is_told_before_anything_is_read(run: Run, rendering: Path) -> None:
    status, _, err = run("data", "import", "rendering.csv", "--workload", "rendering.yaml", "--name", "my rows")
    assert status == 1
    assert "a dataset can't be called 'my rows'" in err


def test_a_files_name_becomes_a_name_that_a_dataset_can_have(run: Run, rendering: Path) -> None:
    (rendering / "rendering.csv").rename(rendering / "my file (1).csv")
    status, _, err = run("data", "import", "my file (1).csv", "--workload", "rendering.yaml")
    assert status == 0
    assert "kept as dataset 'my-file-1'" in err


def test_a_model_of_another_workload_is_refused_before_training(run: Run, rendering: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    run("data", "generate", "--days", "2")
    run("train", "--dataset", "rendering", "--trials", "1", "--families", "polynomial")
    status, _, err = run("train", "--dataset", "simulated", "--model", "rendering", "--trials", "1")
    assert status == 1
    assert "model 'rendering' answers for 'rendering'" in err
    assert "trial 1" not in err


def test_the_default_model_of_a_workload_can_be_chosen(run: Run, rendering: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    for model in ("first", "second"):
        run("train", "--dataset", "rendering", "--model", model, "--trials", "1", "--families", "polynomial")
    status, _, err = run("models", "default", "second")
    assert status == 0
    assert "second now answers for rendering" in err


def test_a_version_is_pruned_beside_its_original_and_uploaded_graphs_come_and_go(run: Run, rendering: Path) -> None:
    run("data", "import", "rendering.csv", "--workload", "rendering.yaml")
    run("train", "--trials", "1", "--families", "random_forest")
    status, out, err = run("models", "prune", "rendering", "--keep", "0.4")
    assert status == 0, err
    assert "rendering:2 (pruned to 0.4 of version 1) is registered: smaller" in err
    assert "graph kB" in out
    shown = json.loads(run("models", "show", "rendering:2", "--json")[1])
    assert (shown["settings"]["variant"], shown["settings"]["of"]) == ("pruned to 0.4", 1)
    assert "random_forest, pruned to 0.4" in run("models", "show", "rendering")[1]
    status, _, err = run("models", "quantize", "rendering")
    assert status == 1
    assert "nothing to quantise" in err
    graph = next(path for path in (rendering / "var" / "artifacts").rglob(shown["graph"]["sha256"]))
    status, _, err = run("models", "upload", "rendering", str(graph), "--label", "v2.0", "--type", "xgboost")
    assert status == 0, err
    assert "rendering:3 (xgboost) is registered, uncalibrated" in err
    status, _, err = run("models", "prune", "rendering:3")
    assert status == 1
    assert "which rows" in err
    assert run("models", "delete", "rendering:v2.0")[0] == 0
    for words, said in ((("rendering:1",), "is champion"), (("rendering",), "as rendering:VERSION")):
        status, _, err = run("models", "delete", *words)
        assert status == 1
        assert said in err
    status, _, err = run("models", "upload", "rendering", "missing.onnx")
    assert (status, "missing.onnx: No such file" in err) == (1, True)
