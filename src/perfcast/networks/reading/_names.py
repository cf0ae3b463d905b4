"""Names for people: `layer1.0.conv1` for what exporters call `/layer1/layer1.0/conv1/Conv`."""

import re
from collections import Counter
from collections.abc import Sequence

import onnx

_SCOPES = "pkg.torch.onnx.name_scopes"
"""Where PyTorch's newer exporter writes the modules that a node stands in."""
_WEIGHT = ".weight"
_LONGEST, _DEEPEST = 120, 16


def name_nodes(nodes: Sequence[onnx.NodeProto]) -> list[str]:
    """A name for each node, unlike any other.

    A node that is alone in its module is called after the module; one of several, or one beside modules, after the
    module and its operator; one in no module as the file calls it, else after its operator and its place.
    """
    scopes = [_scope(node) for node in nodes]
    inside = Counter(scope[:depth] for scope in scopes for depth in range(1, len(scope) + 1))
    names = list[str]()
    for at, (node, scope) in enumerate(zip(nodes, scopes, strict=True)):
        operator = node.op_type.lower()
        if scope:
            said = inside[scope] == 1 or scope[-1] == operator
            names.append(".".join(scope if said else (*scope, operator)))
        else:
            names.append(node.name.rpartition("/")[2].lower().removeprefix("node_") or f"{operator}_{at}")
    return _unlike([re.sub(r"[^\w.:+-]+", "_", name)[-_LONGEST:] for name in names])


def _scope(node: onnx.NodeProto) -> tuple[str, ...]:
    """The names of the modules that a node stands in, from outside in."""
    parts = _owner(node) or _stated(node) or [part for part in node.name[-_LONGEST * 4 :].split("/")[:-1] if part]
    found = list[str]()
    for part in parts:
        if found and part.startswith(f"{found[-1]}."):
            found[-1] = part
        else:
            found.append(part)
    return tuple(name for part in found for name in part.split(".") if name)[-_DEEPEST:]


def _owner(node: onnx.NodeProto) -> list[str]:
    """The module whose weight it reads; exporters that fold a normalisation into a convolution state the former."""
    owners = (name.removesuffix(_WEIGHT) for name in node.input if name.endswith(_WEIGHT))
    return [owner for owner in owners if owner][:1]


def _stated(node: onnx.NodeProto) -> list[str]:
    """What PyTorch's newer exporter states: of each module its whole name; last the call itself."""
    text = next((item.value for item in node.metadata_props if item.key == _SCOPES), "")
    return [part for part in re.findall(r"'([^']*)'", text[: _LONGEST * _DEEPEST * 2])[:-1] if part]


def _unlike(names: Sequence[str]) -> list[str]:
    """The names, those that come again numbered."""
    taken, times = set(names), Counter[str]()
    found = list[str]()
    for name in names:
        times[name] += 1
        own = name
        while times[name] > 1 and (own := f"{name}_{times[name]}") in taken:
            times[name] += 1
        taken.add(own)
        found.append(own)
    return found
