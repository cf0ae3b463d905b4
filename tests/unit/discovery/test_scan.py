"""Which files are models, and what they are called."""

import os
from pathlib import Path, PurePosixPath

import pytest

from perfcast.discovery._naming import family, is_model, naming
from perfcast.discovery._scan import LARGEST_FILE, read_files, scan
from perfcast.errors import InvalidSetting, Refused


@pytest.mark.parametrize(
    ("path", "model", "label"),
    [
        ("prediction-training-cpu/nn/output/best_model.pth", "nn_prediction-training-cpu", None),
        ("prediction-training-cpu/xgboost/best_xgb_model.joblib", "xgb_prediction-training-cpu", None),
        ("prediction-training-gpul40s/rdf/best_rf_model.joblib", "rf_prediction-training-gpul40s", None),
        ("polynomial-regression/best_lasso_model.joblib", "poly_best_lasso_model", None),
        ("polynomial-regression/best_model.joblib", "poly_best_model", None),
        ("models/v1.2.0/best_model.pth", "nn_best_model", "v1.2.0"),
        ("prediction-training-t4/nn/models/v1.2.0/best_model.pth", "nn_prediction-training-t4", "v1.2.0"),
        ("CNN/prediction-training-t4/deep/down/best_random_forest_model.pkl", "rf_prediction-training-t4", None),
        ("prediction-training-t4/xgboost/best_model.joblib", "xgb_prediction-training-t4", None),
        ("prediction-training-t4/best_model.ubj", "xgb_prediction-training-t4", None),
        ("prediction-training-t4/best_svr_model.joblib", "svr_prediction-training-t4", None),
        ("best_model.onnx", "onnx_best_model", None),
        ("v2/best_model.pth", "nn_best_model", None),
    ],
)
def test_a_file_is_called_as_the_predecessor_calls_it(path: str, model: str, label: str | None) -> None:
    assert is_model(PurePosixPath(path))
    found = naming(PurePosixPath(path))
    assert (found.model, found.label) == (model, label)


@pytest.mark.parametrize(
    "name",
    [
        "best_model_fold_1.pth",
        "best_fold_2_model.pth",
        "scaler_X.joblib",
        "best_scaler_model.joblib",
        "model.pth",
        "best_model.txt",
        "best_model.pth.bak",
        "config.json",
    ],
)
def test_scalers_folds_and_other_files_are_no_models(name: str) -> None:
    assert not is_model(PurePosixPath(name))


def test_a_names_prefix_tells_the_family() -> None:
    known = ["xgb_a", "rf_a", "nn_a", "poly_a", "svr_a"]
    assert [family(name) for name in known] == ["xgboost", "random_forest", "neural_network", "polynomial", None]


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def test_a_models_releases_come_from_old_to_new_and_its_present_file_last(tmp_path: Path) -> None:
    write(tmp_path, "best_model.pth", *(f"models/{label}/best_model.pth" for label in ("v1.10.0", "v1.9.0", "v0.1")))
    assert [found.naming.label for found in scan(tmp_path).found] == ["v0.1", "v1.9.0", "v1.10.0", None]


def test_what_lies_beside_belongs_to_the_model(tmp_path: Path) -> None:
    write(
        tmp_path, "a/best_model.pth", "a/scaler_X.joblib", "a/my_scaler_y.pkl", "a/model.yaml", "a/scaler_X_fold1.pkl"
    )
    (found,) = scan(tmp_path).found
    assert list(found.files) == ["best_model.pth", "model.yaml", "my_scaler_y.pkl", "scaler_X.joblib"]
    _, before = read_files(found)
    (tmp_path / "a" / "model.yaml").write_text("inputs: []")
    assert read_files(found)[1] != before


def test_the_signature_changes_with_the_files(tmp_path: Path) -> None:
    write(tmp_path, "best_model.pth", "notes.txt")
    first = scan(tmp_path).signature
    write(tmp_path, "other.txt")
    assert scan(tmp_path).signature == first
    (tmp_path / "best_model.pth").write_text("longer than it was before")
    second = scan(tmp_path).signature
    assert second != first
    (tmp_path / "best_model.pth").unlink()
    assert scan(tmp_path).signature == ()


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "models"
    write(outside, "best_model.pth", "deep/best_rf_model.joblib", "scaler_X.joblib")
    write(folder, "inside/best_xgb_model.joblib", "scaled/best_nn_model.pth")
    (folder / "best_model.pth").symlink_to(outside / "best_model.pth")
    (folder / "linked").symlink_to(outside / "deep")
    (folder / "scaled" / "scaler_X.joblib").symlink_to(outside / "scaler_X.joblib")
    (folder / "best_lasso_model.joblib").symlink_to(folder / "inside" / "best_xgb_model.joblib")
    found = {str(item.path): item.problem for item in scan(folder).found}
    assert found.keys() == {
        "best_lasso_model.joblib",
        "best_model.pth",
        "inside/best_xgb_model.joblib",
        "scaled/best_nn_model.pth",
    }
    assert "leaves the folder" in str(found["best_model.pth"])
    assert "scaler_X.joblib is a link" in str(found["scaled/best_nn_model.pth"])
    assert found["best_lasso_model.joblib"] is None


@pytest.mark.parametrize("name", ["best_model.pth", "scaler_X.joblib", "model.yaml"])
def test_a_pipe_named_like_a_file_is_told_and_never_opened(tmp_path: Path, name: str) -> None:
    write(tmp_path, "best_model.pth")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    (found,) = scan(tmp_path).found
    with pytest.raises(Refused, match=f"^{name} is no regular file$"):
        read_files(found)


def test_a_file_that_became_a_pipe_since_is_told(tmp_path: Path) -> None:
    write(tmp_path, "best_model.pth")
    (found,) = scan(tmp_path).found
    (tmp_path / "best_model.pth").unlink()
    os.mkfifo(tmp_path / "best_model.pth")
    with pytest.raises(Refused, match="is no regular file"):
        read_files(found)


def test_a_link_to_a_pipe_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "best_model.pth").symlink_to(tmp_path / "pipe")
    (found,) = scan(tmp_path).found
    with pytest.raises(Refused, match=r"^best_model.pth is no regular file$"):
        read_files(found)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
            "is a Git LFS pointer, not the file: run git lfs pull",
        ),
    ],
)
def test_an_empty_file_and_a_pointer_to_one_are_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "best_model.pth").write_bytes(content)
    (found,) = scan(tmp_path).found
    with pytest.raises(Refused, match=f"^best_model.pth {told}$"):
        read_files(found)


def test_a_file_beyond_the_limit_is_told_and_never_read(tmp_path: Path) -> None:
    write(tmp_path, "best_model.pth")
    os.truncate(tmp_path / "best_model.pth", LARGEST_FILE + 1)
    (found,) = scan(tmp_path).found
    with pytest.raises(Refused, match=r"^best_model.pth is larger than 1,000,000,000 bytes$"):
        read_files(found)


def test_two_files_of_one_name_are_told(tmp_path: Path) -> None:
    write(tmp_path, "a/best_lasso_model.joblib", "b/best_lasso_model.joblib")
    first, second = scan(tmp_path).found
    assert first.problem is None
    assert second.problem is not None
    assert "a/best_lasso_model.joblib is called poly_best_lasso_model too" in second.problem


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="MODELS_DIR"):
        scan(tmp_path / "nowhere")
