"""ONNX files of strangers, read in a process of their own."""

import sys
from pathlib import Path

import onnx
import pytest
from tests.onnx_files import small_network

from perfcast.errors import InvalidInput, MissingDependency
from perfcast.networks import Networks, _apart, read_onnx, read_onnx_apart


def test_a_file_is_read_as_it_is_in_this_process() -> None:
    content = small_network()
    assert read_onnx_apart(content).nodes == read_onnx(content, name="small").nodes


def test_what_is_wrong_with_a_file_is_told_of_the_field() -> None:
    with pytest.raises(InvalidInput, match=r"^network: must be an ONNX file") as refused:
        read_onnx_apart(b"nothing of the kind")
    assert [field.field for field in refused.value.fields] == ["network"]


def test_a_process_that_dies_is_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InvalidInput, match="the reader ended at it"):
        read_onnx_apart(small_network())


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(_apart, "_SECONDS", 0.2)
    with pytest.raises(InvalidInput, match="could not be read within"):
        read_onnx_apart(small_network())


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "onnx.py").write_text("raise ModuleNotFoundError(\"No module named 'onnx'\", name='onnx')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(MissingDependency, match=r"pip install 'perfcast\[train\]'"):
        read_onnx_apart(small_network())


def test_a_file_is_read_once_and_called_as_each_caller_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    networks, content = Networks(), small_network()
    first = networks.read(content, "first")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    second = networks.read(content, "second")
    assert (first.name, second.name, second.nodes) == ("first", "second", first.nodes)
    with pytest.raises(InvalidInput):
        networks.read(content + b"\0", "third")


def test_what_the_rules_can_not_look_at_is_refused_and_not_met_later() -> None:
    model = onnx.load_from_string(small_network())
    convolution = next(node for node in model.graph.node if node.op_type == "Conv")
    convolution.attribute.append(onnx.helper.make_attribute("group", 0))
    model.graph.value_info.append(
        onnx.helper.make_tensor_value_info("convolved", onnx.TensorProto.FLOAT, ["images", 16, 32, 32])
    )
    with pytest.raises(InvalidInput, match="network"):
        read_onnx_apart(model.SerializeToString())
