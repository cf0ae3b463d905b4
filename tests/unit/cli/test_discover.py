import sys
from pathlib import Path

import pytest
from tests.unit.discovery.test_discovery import graph

from perfcast.cli import main


def test_a_folder_is_converted_once_and_failures_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    folder = tmp_path / "models" / "prediction-training-t4"
    folder.mkdir(parents=True)

    def run(*words: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["perfcast", "models", "discover", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        return (stopped.value.code, *capsys.readouterr())

    status, _, err = run()
    assert status == 1
    assert "set MODELS_DIR" in err
    status, out, err = run(str(tmp_path / "models"))
    assert (status, out) == (0, "")
    new, told = err.splitlines()  # on a new DATA_DIR, whose tables are made first
    assert "is new" in new
    assert told.startswith("no models in")
    (folder / "best_nn_model.onnx").write_bytes(graph(2))
    (folder / "best_xgb_model.json").write_bytes(b'{"a": []}')
    for words in (["--dry-run"], [], []):
        status, out, err = run(str(tmp_path / "models"), *words)
        assert status == 1
        (good,) = [line for line in out.splitlines() if "best_nn_model" in line]
        assert "nn_prediction-training-t4" in good
        assert ("converted" in good) != (" unchanged" in good)
        assert "failed: XGBoost can't read it: Invalid cast" in out
    assert "unchanged" in good
