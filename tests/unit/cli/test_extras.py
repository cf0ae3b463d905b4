import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

import pytest

from perfcast.cli import main
from perfcast.cli._doctor import how_to_install


class WithoutPyArrow:
    """An import system of a serving-only installation: PyArrow is not there."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if name.split(".", maxsplit=1)[0] == "pyarrow":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch, tmp_path, capsys) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [WithoutPyArrow(), *sys.meta_path])
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(sys, "argv", ["perfcast", "data", "import", str(tmp_path / "rows.csv")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert "pip install 'perfcast[train]'" in capsys.readouterr().err


def test_a_module_that_no_extra_brings_is_not_explained_away() -> None:
    assert how_to_install("nothing_of_ours") is None
