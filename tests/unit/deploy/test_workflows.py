"""GitHub's workflows: two linters find nothing, what they use can't change under them, and each may do little."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
_BIN = Path(sys.executable).parent


def workflow(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    return read


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in workflow(name)["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.parametrize(
    "command",
    [["actionlint", "-no-color", *WORKFLOWS], ["zizmor", "--offline", "--quiet", ".github"]],
    ids=lambda command: command[0],
)
def test_linters_find_nothing(command: list[str]) -> None:
    done = subprocess.run([_BIN / command[0], *command[1:]], check=False, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_linter_finds_text_of_strangers_in_a_script(tmp_path: Path) -> None:
    bad = tmp_path / ".github/workflows/bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text((ROOT / ".github/workflows/test.yml").read_text() + "      - run: echo ${{ github.head_ref }}\n")

    assert subprocess.run([_BIN / "zizmor", "--offline", "--quiet", bad], check=False, capture_output=True).returncode
    assert subprocess.run([_BIN / "actionlint", bad], check=False, capture_output=True).returncode


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_beside(path: Path) -> None:
    for used in re.findall(r"uses: (.*)", path.read_text()):
        assert used.startswith("$/.github/workflows/") or re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_may_more_than_it_says(path: Path) -> None:
    assert workflow(path.name)["permissions"] == {}
    for name, job in workflow(path.name)["jobs"].items():
        writes = {what for what, how in job["permissions"].items() if how == "write"}
        allowed = {"publish": {"packages", "id-token", "attestations"}, "release": {"contents"}, "cloud": {"id-token"}}
        assert writes == allowed.get(name, set())
        assert "uses" in job or job["timeout-minutes"] <= 60


def test_nothing_is_released_or_deployed_before_tests_and_images_are_good_and_somebody_said_so() -> None:
    for name, jobs in {"deploy.yml": ("cloud", "host"), "release.yml": ("publish",)}.items():
        for job in jobs:
            assert workflow(name)["jobs"][job]["needs"] == ["test", "images"]
            assert workflow(name)["jobs"][job]["environment"] in {"production", "release"}


def test_the_predecessors_flow_is_there() -> None:
    assert workflow("deploy.yml")[True]["push"]["branches"] == ["main"]  # YAML reads `on` as true
    runs = "\n".join(step.get("run", "") for name in ("images.yml", "deploy.yml") for step in steps(name))

    assert 'docker run --rm "$IMAGE" python -m pytest' in runs
    assert "./deploy.sh production" in runs
    assert "aws ecs update-service --cluster ml-cluster" in runs


def test_aws_gets_no_key_that_could_be_lost() -> None:
    [login] = [step for step in steps("deploy.yml") if "configure-aws-credentials" in step.get("uses", "")]

    assert login["with"].keys() == {"role-to-assume", "aws-region"}
    assert "secrets." not in "".join(path.read_text() for path in WORKFLOWS)


def test_a_machine_of_ones_own_keeps_its_secrets_and_its_state_when_a_new_version_is_checked_out() -> None:
    [checkout] = [
        step for step in workflow("deploy.yml")["jobs"]["host"]["steps"] if "actions/checkout@" in step.get("uses", "")
    ]

    assert checkout["with"]["clean"] is False


def test_new_versions_wait_before_they_are_proposed() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]

    ecosystems = {"github-actions", "pip", "docker", "docker-compose", "npm"}
    assert {update["package-ecosystem"] for update in updates} == ecosystems
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
