"""What `kubectl apply -k` would send: clusters take it, pods ask for little, each thing is said in one place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.unit.deploy.manifests import (
    KUBERNETES,
    OVERLAYS,
    ROOT,
    containers,
    is_custom,
    kustomized,
    may_reach,
    of_kind,
    overlay,
    pods,
    read,
    refused,
    refused_custom,
    versions,
)

from perfcast.api.access import HEADER, scopes_of
from perfcast.settings import Settings

PREDECESSORS_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cnn-predictor
spec:
  replicas: 3
  selector:
    matchLabels:
      app: cnn-predictor
  template:
    metadata:
      labels:
        app: cnn-predictor
    spec:
      containers:
      - name: api
        image: cnn-predictor:latest
        ports:
        - containerPort: 8000
        resources:
          requests:
            memory: "1Gi"
            cpu: "500m"
          limits:
            memory: "2Gi"
            cpu: "1000m"
"""


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_is_valid_for_old_and_new_clusters(name: str) -> None:
    own = [thing for thing in overlay(name) if not is_custom(thing)]

    assert own
    assert {version: refused(own, version) for version in versions()} == {key: [] for key in versions()}


@pytest.mark.parametrize("name", ["prod", "gateway"])
def test_custom_objects_are_as_their_published_schemas_say(name: str) -> None:
    custom = [thing for thing in overlay(name) if is_custom(thing)]

    assert {thing["kind"] for thing in custom} >= {"ScaledObject", "TriggerAuthentication", "PodMonitor"}
    assert refused_custom(custom) == []


def test_the_example_of_a_service_by_prediction_is_as_the_schemas_say() -> None:
    things = read((KUBERNETES / "examples/service-by-prediction.yaml").read_text())

    assert refused_custom(things) == []
    spec = of_kind(things, "ScaledObject")["shop"]["spec"]
    assert spec["minReplicaCount"] >= 1
    assert spec["fallback"]["replicas"] >= spec["minReplicaCount"]
    trigger = spec["triggers"][0]
    asked = urlsplit(trigger["metadata"]["url"])
    assert scopes_of("GET", "/autoscale/{model}") == {"predict"}
    assert (asked.hostname, asked.port) == ("cnn-predictor.perfcast", 8000)
    assert (asked.path, trigger["metadata"]["valueLocation"]) == ("/autoscale/shop", "value")
    assert trigger["metadata"]["keyParamName"].lower() == HEADER.lower()


def test_what_judges_the_objects_finds_a_field_that_there_is_not() -> None:
    deployment, scaled = _copy(overlay("prod"), "Deployment"), _copy(overlay("prod"), "ScaledObject")
    deployment["spec"]["template"]["spec"]["restartpolicy"] = "Always"
    scaled["spec"]["fallback"]["behaviour"] = "static"
    scaled["spec"]["triggers"][0]["metadata"]["anything"] = "goes"

    assert all(refused([deployment], version) for version in versions())
    assert refused_custom([scaled]) == ["ScaledObject cnn-predictor: /spec/fallback/behaviour is no field"]

    scaled["spec"]["fallback"]["behavior"] = "guess"
    assert "behavior" in refused_custom([scaled])[0]


def test_the_rendered_install_file_is_up_to_date() -> None:
    text = (KUBERNETES / "install.yaml").read_text()

    assert text.partition("\n")[2] == kustomized(KUBERNETES / "overlays/dev"), "run `make manifests`"


def test_what_is_tried_out_needs_nothing_that_a_bare_cluster_lacks() -> None:
    assert not [thing["kind"] for thing in overlay("dev") if is_custom(thing)]


def test_the_version_is_said_in_one_place(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    base = tmp_path / "deploy/kubernetes/base/kustomization.yaml"
    text = base.read_text()
    assert text.count("0.1.0") == 1

    base.write_text(text.replace("0.1.0", "9.8.7"))

    for name in OVERLAYS:
        things = read(kustomized(tmp_path / "deploy/kubernetes/overlays" / name))
        images = [container["image"] for _, container in containers(things) if "perfcast-" in container["image"]]
        assert len(images) == 4
        assert all(image.endswith(":9.8.7") for image in images)


def test_a_release_is_an_overlay_with_images_of_a_registry_and_a_version() -> None:
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [KUBERNETES / "release", "prod", "registry:5000/team", "1.2.3"]

    done = subprocess.run(command, check=True, capture_output=True, text=True, env=path)

    images = {name: container["image"] for name, container in containers(read(done.stdout))}
    assert images == {
        "cnn-predictor/api": "registry:5000/team/cnn-predictor:1.2.3",
        "perfcast-migrate/migrate": "registry:5000/team/perfcast-worker:1.2.3",
        "perfcast-ui/ui": "registry:5000/team/perfcast-ui:1.2.3",
        "perfcast-worker/worker": "registry:5000/team/perfcast-worker:1.2.3",
    }
    wrong = subprocess.run([KUBERNETES / "release", "stage", "r", "1"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "no overlay is called stage" in wrong.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_pods_ask_for_no_more_than_the_restricted_profile_allows(name: str) -> None:
    things = overlay(name)
    [namespace] = of_kind(things, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    for pod, spec in pods(things):
        assert spec["securityContext"]["runAsNonRoot"] is True, pod
        assert spec["securityContext"]["runAsUser"] in {999, 10001}, pod
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, pod
        assert spec["automountServiceAccountToken"] is False, pod
        # Else a Service named `api` would make an API_PORT that is no port.
        assert spec["enableServiceLinks"] is False, pod
    for container, spec in containers(things):
        context = spec["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, container
        assert context["readOnlyRootFilesystem"] is True, container
        assert context["capabilities"] == {"drop": ["ALL"]}, container
        assert spec["resources"]["requests"].keys() == spec["resources"]["limits"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_settings_are_those_that_there_are_and_secrets_stand_in_the_secret(name: str) -> None:
    known = {field.upper() for field in Settings.model_fields}
    secrets = {"API_KEY", "DATABASE_URL", "REDIS_URL"}
    assert settings(name).keys() <= known - secrets
    for container, spec in containers(overlay(name)):
        if "perfcast-" not in spec["image"]:
            continue
        for variable in spec.get("env", []):
            assert variable["name"] in known, container
            assert ("value" in variable) == (variable["name"] not in secrets), container
    assert not of_kind(overlay(name), "Secret")


def test_only_the_api_has_the_keys() -> None:
    has = {name for name, spec in containers(overlay("prod")) if any(_["name"] == "API_KEY" for _ in spec["env"])}

    assert has == {"cnn-predictor/api"}


def test_the_api_is_asked_whether_it_lives_and_is_ready_and_drains_longer_than_that_takes() -> None:
    pod = of_kind(overlay("prod"), "Deployment")["cnn-predictor"]["spec"]["template"]["spec"]
    [api] = pod["containers"]
    environment = {variable["name"]: variable.get("value") for variable in api["env"]}
    paths = {probe: api[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}

    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    drain = float(environment["DRAIN_SECONDS"])
    assert drain >= 2 * api["readinessProbe"]["periodSeconds"]
    assert (
        pod["terminationGracePeriodSeconds"] > drain + 20
    )  # which is how long requests that were begun are waited for
    [ui] = of_kind(overlay("prod"), "Deployment")["perfcast-ui"]["spec"]["template"]["spec"]["containers"]
    assert {ui[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "/_stcore/health"
    }


def test_a_worker_is_not_the_process_that_must_reap_orphans() -> None:
    for name in OVERLAYS:
        pod = of_kind(overlay(name), "Deployment")["perfcast-worker"]["spec"]["template"]["spec"]
        assert pod["shareProcessNamespace"] is True


def test_each_deployment_is_scaled_by_one_thing_that_never_leaves_none() -> None:
    things = overlay("prod")
    scaled = of_kind(things, "ScaledObject")

    assert not of_kind(things, "HorizontalPodAutoscaler")
    assert {one["spec"]["scaleTargetRef"]["name"] for one in scaled.values()} == {"cnn-predictor", "perfcast-worker"}
    for name, one in scaled.items():
        assert one["spec"]["minReplicaCount"] >= 1
        assert "idleReplicaCount" not in one["spec"]
        assert one["spec"]["fallback"]["behavior"] in {"currentReplicas", "currentReplicasIfHigher"}
        # With a number of its own, every `kubectl apply` would undo the scaling.
        assert "replicas" not in of_kind(things, "Deployment")[name]["spec"]
    api = [trigger["type"] for trigger in scaled["cnn-predictor"]["spec"]["triggers"]]
    assert api == ["cpu", "prometheus"]


def test_triggers_show_keys_from_the_secret_alone() -> None:
    held = of_kind(overlay("prod"), "TriggerAuthentication")
    asked = {
        trigger["authenticationRef"]["name"]
        for one in of_kind(overlay("prod"), "ScaledObject").values()
        for trigger in one["spec"]["triggers"]
        if trigger["type"] != "cpu"
    }

    assert asked == held.keys() == {"perfcast-prometheus", "perfcast-database"}
    assert {ref["name"] for one in held.values() for ref in one["spec"]["secretTargetRef"]} == {"perfcast"}


def test_nobody_reaches_a_pod_in_production_unless_it_is_said() -> None:
    policies = of_kind(overlay("prod"), "NetworkPolicy")

    assert policies["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    opened = {
        next(iter(policy["spec"]["podSelector"]["matchLabels"].values()))
        for policy in policies.values()
        if policy["spec"].get("ingress")
    }
    assert opened == {"cnn-predictor", "perfcast-ui"}
    [state] = policies["from-perfcast-to-state"]["spec"]["egress"]
    assert {port["port"] for port in state["ports"]} == {443, 5432, 6379}
    assert "169.254.0.0/16" in state["to"][0]["ipBlock"]["except"]


def test_state_of_its_own_in_production_is_reached_by_those_who_need_it_and_nobody_else(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    file = tmp_path / "deploy/kubernetes/overlays/prod/kustomization.yaml"
    asked = file.read_text()
    own = "components/postgres\n  - ../../components/redis\n"
    file.write_text(asked.replace("components/object-storage\n", own).replace("      - ARTIFACTS_URL=", "      # "))

    things = read(kustomized(file.parent))

    callers = {"cnn-predictor", "perfcast-worker", "perfcast-migrate", "perfcast-ui"}
    may = {
        name: {one for one in {*callers, "postgres", "redis"} - {name} if may_reach(things, one, name, port)}
        for name, port in {"postgres": 5432, "redis": 6379}.items()
    }
    assert may == {"postgres": callers - {"perfcast-ui"}, "redis": callers - {"perfcast-migrate"}}
    assert not may_reach(things, "cnn-predictor", "perfcast-ui", 8501)
    [database] = of_kind(things, "NetworkPolicy")["to-postgres"]["spec"]["ingress"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in database["from"]
    assert [refused([one for one in things if not is_custom(one)], version) for version in versions()] == [[], [], []]


def test_services_select_pods_and_what_leads_there_names_ports_that_there_are() -> None:
    for name in OVERLAYS:
        labels = [thing["spec"]["template"]["metadata"]["labels"] for thing in _with_template(name)]
        ports = {
            service["metadata"]["name"]: {port["name"]: port["port"] for port in service["spec"]["ports"]}
            for service in of_kind(overlay(name), "Service").values()
        }
        for service in of_kind(overlay(name), "Service").values():
            assert sum(service["spec"]["selector"].items() <= one.items() for one in labels) == 1
        for ingress in of_kind(overlay(name), "Ingress").values():
            for rule in ingress["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    assert path["backend"]["service"]["port"]["name"] in ports[path["backend"]["service"]["name"]]
        for route in of_kind(overlay(name), "HTTPRoute").values():
            for rule in route["spec"]["rules"]:
                for backend in rule.get("backendRefs", []):
                    assert backend["port"] in ports[backend["name"]].values()


def test_the_ingress_speaks_to_every_controller_and_the_gateway_takes_its_place() -> None:
    [ingress] = of_kind(overlay("prod"), "Ingress").values()

    assert "annotations" not in ingress["metadata"]
    assert ingress["spec"]["tls"]
    assert not of_kind(overlay("gateway"), "Ingress")
    assert of_kind(overlay("gateway"), "HTTPRoute").keys() == {"perfcast-to-https", "perfcast-ui", "cnn-predictor"}


def test_production_scrapes_and_alerts_by_the_files_of_prometheus() -> None:
    things = [*of_kind(overlay("prod"), "PodMonitor").values(), *of_kind(overlay("prod"), "PrometheusRule").values()]
    files = [yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text()) for name in _PROMETHEUS]

    assert [thing["spec"] for thing in things] == [file["spec"] for file in files]
    selector = things[0]["spec"]["selector"]["matchLabels"].items()
    pod = of_kind(overlay("prod"), "Deployment")["cnn-predictor"]["spec"]["template"]
    assert selector <= pod["metadata"]["labels"].items()
    assert {end["port"] for end in things[0]["spec"]["podMetricsEndpoints"]} <= {
        port["name"] for port in pod["spec"]["containers"][0]["ports"]
    }


def test_grafana_finds_every_dashboard() -> None:
    maps = of_kind(overlay("prod"), "ConfigMap").values()
    boards = [one["data"] for one in maps if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]

    shipped = {path.name: path.read_text() for path in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    assert {name: text for data in boards for name, text in data.items()} == shipped
    assert max(map(len, shipped.values())) < 200_000  # `kubectl apply` keeps a copy in an annotation of 256 KiB at most


def test_graphs_lie_in_a_bucket_in_production_and_no_volume_is_left() -> None:
    assert not of_kind(overlay("prod"), "PersistentVolumeClaim")
    for name, pod in pods(overlay("prod")):
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounted = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert volumes == mounted, name
        assert all("emptyDir" in volume for volume in pod["volumes"]), name
    assert settings("prod")["ARTIFACTS_URL"].startswith("s3://")


def test_applying_ours_takes_the_place_of_the_predecessors_deployment() -> None:
    [theirs] = read(PREDECESSORS_DEPLOYMENT)
    ours = of_kind(overlay("dev"), "Deployment")["cnn-predictor"]

    assert [refused([theirs], version) for version in versions()] == [[], [], []]
    assert ours["spec"]["selector"] == theirs["spec"]["selector"]  # which can't be changed once it is there
    assert ours["spec"]["template"]["spec"]["containers"][0]["name"] == "api"


_PROMETHEUS = ("podmonitor.yml", "prometheusrule.yml")


def settings(name: str) -> dict[str, str]:
    """What the ConfigMap of settings says."""
    [data] = [one["data"] for one in of_kind(overlay(name), "ConfigMap").values() if "API_URL" in one["data"]]
    return dict(data)


def _with_template(name: str) -> list[dict[str, Any]]:
    return [thing for thing in overlay(name) if thing["kind"] in {"Deployment", "StatefulSet"}]


def _copy(things: Any, kind: str) -> dict[str, Any]:
    copy: dict[str, Any] = yaml.safe_load(yaml.safe_dump(next(iter(of_kind(things, kind).values()))))
    return copy
