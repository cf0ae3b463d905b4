"""Kubernetes objects as Kustomize renders them, and what judges them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from kubernetes_validate.utils import all_versions

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
OVERLAYS = ("dev", "prod", "gateway")
SCHEMAS = Path(__file__).with_name("crds")
_BIN = Path(sys.executable).parent

Object = dict[str, Any]


def kustomized(folder: Path) -> str:
    """What `kubectl apply -k` would send."""
    done = subprocess.run([_BIN / "kubectl", "kustomize", folder], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


@cache
def overlay(name: str) -> Sequence[Object]:
    return read(kustomized(KUBERNETES / "overlays" / name))


def read(text: str) -> Sequence[Object]:
    return [document for document in yaml.safe_load_all(text) if document]


def is_custom(thing: Object) -> bool:
    """Whether it is of a kind that a cluster has only after something was installed."""
    group = thing["apiVersion"].partition("/")[0]
    return ("." in group and not group.endswith(".k8s.io")) or group == "gateway.networking.k8s.io"


def versions() -> tuple[str, str, str]:
    """The oldest, the middle and the newest Kubernetes whose schemas are there."""
    known = sorted({tuple(map(int, version.split(".")[:2])) for version in all_versions()})
    oldest, middle, newest = (f"{known[at][0]}.{known[at][1]}" for at in (0, len(known) // 2, -1))
    return oldest, middle, newest


def refused(things: Iterable[Object], version: str) -> list[str]:
    """What a Kubernetes of a version says against its own kinds, unknown fields included."""
    found = []
    for thing in things:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{thing['kind']} {thing['metadata']['name']}: {error.message}")
    return found


def refused_custom(things: Sequence[Object]) -> list[str]:
    """What the published schemas of custom kinds say against them, unknown fields included."""
    node = shutil.which("node")
    assert node is not None, "tests need node: tests/install-services"
    assert (SCHEMAS / "node_modules").is_dir(), "tests need the schemas: tests/install-services"
    done = subprocess.run(
        [node, "check.mjs"], check=False, cwd=SCHEMAS, input=json.dumps(things), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def of_kind(things: Iterable[Object], kind: str) -> dict[str, Object]:
    return {thing["metadata"]["name"]: thing for thing in things if thing["kind"] == kind}


def pods(things: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Name of what makes pods, and how they are specified."""
    for thing in things:
        if thing["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield thing["metadata"]["name"], thing["spec"]["template"]["spec"]


def containers(things: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    for name, pod in pods(things):
        for container in pod["containers"] + pod.get("initContainers", []):
            yield f"{name}/{container['name']}", container


def may_reach(things: Sequence[Object], caller: str, called: str, port: int) -> bool:
    """Whether policies let one workload's pods reach another's; addresses aren't pods, as on some networks."""
    policies = list(of_kind(things, "NetworkPolicy").values())
    templates = {
        thing["metadata"]["name"]: thing["spec"]["template"]
        for thing in things
        if thing["kind"] in {"Deployment", "StatefulSet", "Job"}
    }
    names = {
        named["containerPort"]: named["name"]
        for container in templates[called]["spec"]["containers"]
        for named in container["ports"]
    }
    here, there = (templates[name]["metadata"]["labels"] for name in (caller, called))
    ports = {port, names[port]}
    return _is_open(policies, "Egress", here, there, ports) and _is_open(policies, "Ingress", there, here, ports)


def _is_open(
    policies: Iterable[Object], way: str, own: dict[str, str], other: dict[str, str], ports: set[int | str]
) -> bool:
    """Whether pods with labels of their own may be reached by (or reach) pods of the same namespace with others."""
    specs = [policy["spec"] for policy in policies if way in policy["spec"]["policyTypes"]]
    judging = [spec for spec in specs if _selects(spec["podSelector"], own)]
    peers = {"Egress": "to", "Ingress": "from"}[way]
    return not judging or any(
        any(_selects(peer["podSelector"], other) for peer in rule[peers] if peer.keys() == {"podSelector"})
        and any(port["port"] in ports for port in rule["ports"])
        for spec in judging
        for rule in spec.get(way.lower(), [])
    )


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    wanted = {label: {value} for label, value in selector.get("matchLabels", {}).items()}
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        wanted[expression["key"]] = set(expression["values"])
    return all(labels.get(label) in values for label, values in wanted.items())
