"""What an uploaded graph must be like."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from tests.drafts import linear_graph, weighted

from perfcast.errors import InvalidInput
from perfcast.manifest import Calibration, Manifest
from perfcast.serving import _foreign
from perfcast.serving import _upload as uploads
from perfcast.serving._anatomy import dissect
from perfcast.serving._upload import Statement, examine, read_statement
from perfcast.workloads import Workload

FEATURES = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 8])
COST = helper.make_tensor_value_info("cost", TensorProto.FLOAT, ["rows"])
WEIGHTS = helper.make_tensor("weights", TensorProto.FLOAT, [8, 1], [1.0] * 8)
FLAT = helper.make_tensor("flat", TensorProto.INT64, [1], [-1])
RESHAPE = helper.make_node("Reshape", ["column", "flat"], ["cost"])


def model(*nodes: object, constants: object = (WEIGHTS, FLAT), domains: tuple[str, ...] = (), **more: object) -> bytes:
    graph = helper.make_graph([*nodes], "g", [FEATURES], [COST], [*constants])  # type: ignore[arg-type, misc]
    opsets = [helper.make_opsetid("", 21), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10, **more).SerializeToString())


def external(location: str) -> TensorProto:
    tensor = helper.make_tensor("weights", TensorProto.FLOAT, [8, 1], [1.0] * 8)
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


def refusal(workload: Workload, graph: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        examine(graph, workload)
    (error,) = caught.value.fields
    assert error.field == "graph"
    return error.message


def test_a_graph_that_fits_is_described(cpu: Workload) -> None:
    facts = examine(weighted(cpu, request_rate=1), cpu)
    assert (facts.opset, facts.ir, facts.bytes) == (21, 10, len(weighted(cpu, request_rate=1)))
    assert facts.row_us > 0


@pytest.mark.parametrize("domain", ["com.microsoft", "com.acme"])
@pytest.mark.parametrize("declared", [True, False])
def test_operators_that_are_not_onnx_own_are_refused_by_name(cpu: Workload, domain: str, declared: bool) -> None:  # noqa: FBT001
    product = helper.make_node("FusedMatMul", ["features", "weights"], ["column"], domain=domain)
    graph = model(product, RESHAPE, domains=(domain,) if declared else ())
    assert f"{domain}:FusedMatMul" in refusal(cpu, graph)


def test_foreign_operators_are_found_inside_of_branches_and_functions(cpu: Workload) -> None:
    inner = helper.make_node("Gelu", ["features"], ["out"], domain="com.microsoft")
    branch = helper.make_graph([inner], "branch", [], [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)])
    condition = helper.make_node("If", ["yes"], ["x"], then_branch=branch, else_branch=branch)
    product = helper.make_node("MatMul", ["x", "weights"], ["column"])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    assert "com.microsoft:Gelu" in refusal(cpu, model(condition, product, RESHAPE, constants=(WEIGHTS, FLAT, yes)))
    function = helper.make_function(
        "own", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], [helper.make_opsetid("", 21)]
    )
    call = helper.make_node("Twice", ["features"], ["x"], domain="own")
    assert "own:Twice" in refusal(cpu, model(call, product, RESHAPE, domains=("own",), functions=[function]))


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd", "/dev/zero"])
def test_weights_in_another_file_are_refused_wherever_it_is(
    cpu: Workload, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.bin").write_bytes(np.ones(8, np.float32).tobytes())
    monkeypatch.chdir(tmp_path)
    product = helper.make_node("MatMul", ["features", "weights"], ["column"])
    assert "another file" in refusal(cpu, model(product, RESHAPE, constants=(external(location), FLAT)))
    constant = helper.make_node("Constant", [], ["weights"], value=external(location))
    assert "another file" in refusal(cpu, model(constant, product, RESHAPE, constants=(FLAT,)))


def test_a_graph_that_does_not_come_to_an_end_is_stopped(cpu: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_foreign, "TRIAL_SECONDS", 0.3)
    step = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["x", "one"], ["y"])],
        "step",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows"]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows"]),
        ],
        [helper.make_tensor("one", TensorProto.FLOAT, [1], [0.0])],
    )
    product = helper.make_node("MatMul", ["features", "weights"], ["column"])
    flat = helper.make_node("Reshape", ["column", "flat"], ["sum"])
    loop = helper.make_node("Loop", ["often", "yes", "sum"], ["cost"], body=step)
    often = helper.make_tensor("often", TensorProto.INT64, [], [1 << 60])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    graph = model(product, flat, loop, constants=(WEIGHTS, FLAT, often, yes))
    assert "can't answer within 0.3 s" in refusal(cpu, graph)


def test_what_is_seen_is_what_onnx_itself_reads(cnn: Workload) -> None:
    graph = linear_graph([1.0] * 15, operator="Abs")
    read = ModelProto.FromString(graph)
    seen = dissect(graph)
    assert seen.operators == {(node.domain, node.op_type) for node in read.graph.node}
    assert (seen.ir, seen.opset) == (read.ir_version, read.opset_import[0].version)
    examine(graph, cnn)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"edges": [2, 1]}, "rise"),
        ({"widths": {"0.9": [1.1]}}, "one width for each of 2 bands"),
        ({"widths": {"0.7": [1.1, 1.2]}}, "not '0.7'"),
        ({"widths": {"0.9": [0.5, 1.2]}}, "at least 1"),
        ({"minimum": 5, "maximum": 4}, "minimum"),
        ({"spreads": [[0.2], [0.2, 0.1]]}, "rise"),
        ({"spreads": [[0.2]]}, "spreads for each of 2 bands of cost"),
        ({"spreads": [[0.2], []]}, "one width for each of 3 bands"),
    ],
)
def test_a_calibration_that_would_fail_later_is_refused_at_once(table: dict[str, object], said: str) -> None:
    whole = {"relative": True, "edges": [1], "widths": {"0.9": [1.1, 1.2]}, "minimum": 0, "maximum": 9, "rows": 100}
    statement = read_statement(json.dumps({"calibration": whole | table}).encode())
    assert statement.calibration is not None
    with pytest.raises(InvalidInput, match=said):
        uploads._check_calibration(statement.calibration)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ({"request_rate": {"nosuch": 1}}, "'nosuch' is no feature"),
        ({"nosuch": {"active_users": 1}}, "'nosuch' is no feature"),
        ({"request_rate": {"active_users": float("inf")}}, "must rise by numbers"),
    ],
)
def test_a_path_names_features(cpu: Workload, path: dict[str, dict[str, float]], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        uploads._check_path(path, cpu)


def test_a_graph_is_examined_without_the_onnx_package(cpu: Workload, tmp_path: Path) -> None:
    (tmp_path / "graph.onnx").write_bytes(weighted(cpu, request_rate=1))
    code = """
import sys
from pathlib import Path
from perfcast.serving._upload import examine
from perfcast.workloads import builtin_workloads
assert not [name for name in sys.modules if name.startswith("google.protobuf")], "it is for uploads alone"
assert examine(Path(sys.argv[1]).read_bytes(), builtin_workloads()["cpu-utilization"]).opset == 21
heavy = {"onnx", "spox", "torch", "sklearn", "xgboost", "pandas", "polars"} & set(sys.modules)
assert not heavy, heavy
"""
    command = [sys.executable, "-c", code, str(tmp_path / "graph.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_part_of_a_manifest_may_be_sent() -> None:
    assert set(Manifest.__struct_fields__) <= set(Statement.__struct_fields__)


def test_a_graph_may_say_how_far_its_members_disagree_and_must_where_intervals_go_by_it(cpu: Workload) -> None:
    plain, spread = linear_graph([1.0] * 8), linear_graph([1.0] * 8, spread=[0.1] * 8)
    table = Calibration(False, (), {"0.9": (1.0, 2.0)}, 0, 100, rows=50, spreads=((0.2,),))  # noqa: FBT003
    examine(spread, cpu)
    examine(spread, cpu, calibration=table)
    with pytest.raises(InvalidInput, match="go by 'spread', an output that the graph lacks"):
        examine(plain, cpu, calibration=table)


def test_a_spread_that_is_no_number_is_refused(cpu: Workload) -> None:
    with pytest.raises(InvalidInput, match="gives no finite spread"):
        examine(linear_graph([1.0] * 8, spread=[float("nan")] * 8), cpu)
