"""Files of other libraries are told by name and version, without running them."""

import io
import pickle

import joblib
import pytest
import sklearn
from sklearn.linear_model import Ridge
from tests.unit.discovery.conftest import Convert

from perfcast.errors import Refused


class Unlike:
    """Can't be loaded, as the trees of another scikit-learn can't."""

    def __reduce__(self) -> tuple[object, ...]:
        return int, ("dtype\nof nine\nlines",)


def written(version: str, *, compress: int) -> bytes:
    """A forest's beginning, as that scikit-learn saved it."""
    buffer = io.BytesIO()
    joblib.dump({"_sklearn_version": version, "tree_": Unlike()}, buffer, compress=compress)
    return buffer.getvalue()


@pytest.mark.parametrize("compress", [0, 3])
def test_an_old_file_names_its_version_and_what_to_do_in_a_line(compress: int, to_graph: Convert) -> None:
    with pytest.raises(Refused) as refused:
        to_graph("best_rf_model.joblib", written("1.2.2", compress=compress))
    told = str(refused.value)
    assert f"it was written with scikit-learn 1.2.2, and here is {sklearn.__version__}" in told
    assert "save it as ONNX, best_…_model.onnx" in told
    assert "\n" not in told


def test_a_file_of_this_version_is_not_called_old(to_graph: Convert) -> None:
    with pytest.raises(Refused) as refused:
        to_graph("best_rf_model.joblib", written(sklearn.__version__, compress=0))
    assert "written with" not in str(refused.value)


def test_a_library_that_is_not_installed_is_named(to_graph: Convert) -> None:
    data = pickle.dumps(Ridge(), protocol=2).replace(b"sklearn.linear_model._ridge", b"lightgbm.sklearn_wrapper___")
    with pytest.raises(Refused, match="it was made with lightgbm, which isn't installed here"):
        to_graph("best_lgb_model.joblib", data)
