"""What starts a Dask cluster in containers: encrypted, known to few, with neither databases nor keys at hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from perfcast.cluster import is_encrypted

ROOT = Path(__file__).parents[3]
COMPONENT = ROOT / "deploy/kubernetes/components/dask"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.dask.yml").read_text())


def objects() -> Iterator[dict[str, Any]]:
    for path in sorted(COMPONENT.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def pods() -> dict[str, dict[str, Any]]:
    return {
        thing["metadata"]["name"]: thing["spec"]["template"]["spec"]
        for thing in objects()
        if thing["kind"] == "Deployment"
    }


def test_scheduler_and_workers_listen_with_tls_alone_and_without_a_dashboard() -> None:
    commands = [" ".join(COMPOSE["services"][name]["command"]) for name in ("dask-scheduler", "dask-worker")]
    commands += [" ".join(pod["containers"][0]["command"]) for pod in pods().values()]
    assert len(commands) == 4
    for command in commands:
        assert "--protocol tls" in command.replace("=", " ")
        assert "--no-dashboard" in command
        assert "tcp://" not in command


def test_perfcast_s_worker_finds_them_at_an_encrypted_address() -> None:
    environment = COMPOSE["services"]["worker"]["environment"]
    kustomization = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())
    patch = yaml.safe_load(kustomization["patches"][0]["patch"])
    [container] = patch["spec"]["template"]["spec"]["containers"]
    given = {variable["name"]: variable["value"] for variable in container["env"]}
    assert given["DASK_SCHEDULER_ADDRESS"] == environment["DASK_SCHEDULER_ADDRESS"] == "tls://dask-scheduler:8786"
    assert is_encrypted(given["DASK_SCHEDULER_ADDRESS"])


def test_what_runs_code_of_others_has_no_other_secret_than_its_certificate() -> None:
    for name in ("dask-scheduler", "dask-worker"):
        service = COMPOSE["services"][name]
        assert [secret["source"] for secret in service["secrets"]] == [name.replace("-", "_")]
        assert list(service["environment"]) == ["DASK_CONFIG"]
        assert service["networks"] == ["dask"]
        [container] = pods()[name]["containers"]
        assert [variable["name"] for variable in container["env"]] == ["DASK_CONFIG"]
        assert [volume["secret"]["secretName"] for volume in pods()[name]["volumes"] if "secret" in volume] == [name]
        assert "envFrom" not in container
        assert "serviceAccountName" not in pods()[name], "an account of its own may have a cloud's permissions"
    assert COMPOSE["networks"]["dask"] == {"internal": True}


def test_policies_let_through_the_ports_on_which_they_listen_and_no_others() -> None:
    listening = {
        name: {port["containerPort"] for port in pod["containers"][0]["ports"]} for name, pod in pods().items()
    }
    assert listening == {"dask-scheduler": {8786}, "dask-worker": {8790, 8791}}
    for thing in objects():
        if thing["kind"] == "NetworkPolicy":
            name, spec = thing["metadata"]["name"], thing["spec"]
            assert spec["policyTypes"] == ["Ingress", "Egress"]
            [rule] = spec["ingress"]
            assert {port["port"] for port in rule["ports"]} == listening.pop(name)
    assert not listening
