"""Dockerfiles, shell scripts and nginx's configuration: a linter of each finds nothing, and would find something."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import PATIENCE_SECONDS
from tests.unit.deploy.checkout import ROOT, tracked

_BIN = Path(sys.executable).parent
_ALONE = "worker_processes auto;\nevents {}\nhttp {\n    server_tokens off;\n    include perfcast.conf;\n}\n"
"""Around the file that people include in a configuration of their own."""
_SITES = ("http", "https")
_LONG_ANSWERS = "proxy_buffering_off"
"""What gixy says against it is right, but for a job's events, which a caller shall see one by one."""


def lint(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a linter that came with the tests' packages."""
    return subprocess.run([_BIN / command[0], *command[1:]], check=False, capture_output=True, text=True)


def dockerfiles() -> list[Path]:
    return [path for path in tracked() if re.search(r"(Docker|Container)file$", path.name)]


def scripts() -> list[Path]:
    return [path for path in tracked() if re.match(rb"#!.*\b(ba|da)?sh\b", path.read_bytes()[:40])]


@pytest.fixture
def nginx(tmp_path: Path) -> Path:
    """The configuration below a folder of the test's own, where nginx has `/etc/nginx/perfcast` and `/tmp/nginx`."""
    folder, made, programs = (tmp_path / name for name in ("perfcast", "made", "bin"))
    shutil.copytree(ROOT / "deploy/nginx", folder)
    for path in filter(Path.is_file, folder.rglob("*")):
        path.write_text(path.read_text().replace("/tmp/nginx", str(made)))
    (folder / "alone.conf").write_text(_ALONE)
    programs.mkdir()
    (programs / "nginx").write_text("#!/bin/sh\necho nginx version: nginx/1.29.0 >&2\n")
    (programs / "nginx").chmod(0o755)
    return folder


def prepared(folder: Path, site: str) -> Path:
    """What nginx would read of a site, after its start script has written what depends on the place."""
    environment = os.environ | {
        "PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "NGINX_SITE": site,
        "NGINX_RATE": "100r/s",
    }
    subprocess.run(
        ["sh", folder / "start.sh"], check=True, env=environment, capture_output=True, timeout=PATIENCE_SECONDS
    )
    return folder / "nginx.conf"


def missing(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Files that gixy looked for in vain, and so said nothing about; nginx's own may be absent here."""
    return [line for line in done.stderr.splitlines() if "not found" in line and "mime.types" not in line]


@pytest.mark.parametrize("path", dockerfiles(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_hadolint_finds_nothing(path: Path) -> None:
    done = lint("hadolint", path)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", scripts(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shellcheck_finds_nothing(path: Path) -> None:
    done = lint("shellcheck", path)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("site", _SITES)
def test_gixy_finds_nothing_in_the_shipped_site(nginx: Path, site: str) -> None:
    done = lint("gixy", prepared(nginx, site))

    assert (done.returncode, missing(done)) == (0, []), done.stdout + done.stderr


def test_gixy_finds_nothing_in_what_is_included_in_a_configuration_of_ones_own(nginx: Path) -> None:
    done = lint("gixy", "--skips", _LONG_ANSWERS, nginx / "alone.conf")

    assert (done.returncode, missing(done)) == (0, []), done.stdout + done.stderr


def test_each_would_find_something(nginx: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:latest\nRUN cd /tmp && apt-get install git\n")
    (tmp_path / "script").write_text("#!/bin/sh\nrm -rf $1/*\n")
    configuration = prepared(nginx, "https")
    (nginx.parent / "made/site.conf").write_text("server { location ~ /to/(.*) { proxy_pass http://$1; } }\n")

    assert "DL3007" in lint("hadolint", tmp_path / "Dockerfile").stdout
    assert "SC2086" in lint("shellcheck", tmp_path / "script").stdout
    assert "ssrf" in lint("gixy", configuration).stdout


def test_all_of_them_are_looked_at() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in dockerfiles()} >= {"Dockerfile", "tests/stack/Containerfile"}
    assert {path.relative_to(ROOT).as_posix() for path in scripts()} >= {
        "deploy.sh",
        "deploy/nginx/start.sh",
        ".ci/run",
    }
