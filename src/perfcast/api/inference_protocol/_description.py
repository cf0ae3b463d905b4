"""What the protocol says of models: their tensors, as Triton configures them, and what was counted of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perfcast.api.inference_protocol._rows import inputs_of
from perfcast.api.metrics import Tally
from perfcast.registry import CHAMPION, ModelSummary
from perfcast.serving import Follower, Predictor, Slot

PLATFORM = "onnxruntime_onnx"
"""What Triton calls models of this kind."""
_BACKEND = "onnxruntime"
_UNTIMED = ("queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")
"""Parts of an answer's time that Triton tells apart; here only the whole is known."""


def metadata(predictor: Predictor, versions: Sequence[int]) -> dict[str, Any]:
    """A version as the protocol describes it, with the numbers of all of its model's versions."""
    return {
        "name": predictor.model,
        "versions": [str(number) for number in versions],
        "platform": PLATFORM,
        "inputs": inputs_of(predictor.workload),
        "outputs": _outputs(predictor),
    }


def _outputs(predictor: Predictor) -> list[dict[str, Any]]:
    cost = predictor.workload.cost
    facts = {cost.name: {"unit": cost.unit}}
    if predictor.calibration is not None:
        facts["lower"] = facts["upper"] = {"unit": cost.unit, "parameter": "coverage"}
    outputs = [{"name": name, "datatype": "FP32", "shape": [-1], "parameters": told} for name, told in facts.items()]
    return [*outputs, {"name": "extrapolated", "datatype": "BOOL", "shape": [-1], "parameters": {}}]


def configuration(predictor: Predictor) -> dict[str, Any]:
    """A version as Triton's configuration has it; dimensions are those of the metadata, rows among them."""
    described = metadata(predictor, ())
    inputs = [
        _configured(item) | {"optional": item["parameters"]["style"] == "columns"} for item in described["inputs"]
    ]
    outputs = [_configured(item) for item in described["outputs"]]
    chosen = {"specific": {"versions": [predictor.number]}}
    about = {"name": predictor.model, "platform": PLATFORM, "backend": _BACKEND, "version_policy": chosen}
    return {**about, "max_batch_size": 0, "input": inputs, "output": outputs}


def _configured(tensor: Mapping[str, Any]) -> dict[str, Any]:
    kind = "STRING" if tensor["datatype"] == "BYTES" else tensor["datatype"]
    return {"name": tensor["name"], "data_type": f"TYPE_{kind}", "dims": tensor["shape"]}


def statistics(
    tally: Tally, champions: Mapping[str, Slot], slot: Slot | None = None, *, alone: bool = False
) -> dict[str, Any]:
    """What was counted since the process began, by version, in Triton's form: of those that answered and of champions.

    Failures are counted by model and told of its champion.

    Args:
        tally: The counts, of all processes.
        champions: Each model's champion.
        slot: The version that is asked for; None for all of all models.
        alone: Tell of that version alone, not of its model's others.
    """
    counted: dict[tuple[str, int], list[float]] = {}
    for (model, _, number), durations in tally.arms.items():
        held = counted.setdefault((model, number), [0, 0, 0.0])
        for place, further in enumerate((durations.answers, sum(durations.counts), durations.total)):
            held[place] += further
    if slot is None:
        shown = counted.keys() | {(model, champion.number) for model, champion in champions.items()}
    else:
        shown = {key for key in counted if key[0] == slot.model and not alone} | {(slot.model, slot.number)}
    entries = []
    for model, number in sorted(shown):
        rows, requests, seconds = counted.get((model, number), (0, 0, 0.0))
        champion = champions.get(model)
        failed = tally.predictions.get((model, "error"), 0) if champion and champion.number == number else 0
        times = {"success": _times(int(requests), seconds), "fail": _times(failed, 0.0)}
        entries.append(
            {
                "name": model,
                "version": str(number),
                "inference_count": int(rows),
                "execution_count": int(requests),
                "inference_stats": times | {part: _times(0, 0.0) for part in _UNTIMED},
                "batch_stats": [],
            }
        )
    return {"model_stats": entries}


def _times(count: int, seconds: float) -> dict[str, int]:
    return {"count": count, "ns": round(seconds * 1e9)}


def repository_index(models: Iterable[ModelSummary], follower: Follower, *, ready: bool) -> list[dict[str, str]]:
    """Every version and whether it can answer, which the follower knows; or those alone that are ready.

    One whose graph isn't in memory is loaded when it is asked.
    """
    entries = []
    for model in sorted(models, key=lambda model: model.name):
        for number in model.versions:
            problem = follower.routes.problems.get(model.name) if number == model.aliases.get(CHAMPION) else None
            reason = problem or follower.refusal(f"{model.name}:{number}")
            state = "READY" if reason is None else "UNAVAILABLE"
            if reason is None or not ready:
                entries.append(
                    {"name": model.name, "version": str(number), "state": state, "reason": str(reason or "")}
                )
    return entries
