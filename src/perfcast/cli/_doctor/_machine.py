"""The account, the machine and what is installed on it."""

import os
import re
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from perfcast.cli._doctor._deployment import Deployment
from perfcast.cli._doctor._finding import Finding

_DEBUGGING = ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONTRACEMALLOC")
_PUBLIC = frozenset({22, 80, 443})
"""Ports that are meant for everybody: SSH, HTTP (which redirects) and HTTPS."""
_OLD_DAYS = 35
_UPGRADES = Path("/etc/apt/apt.conf.d")
_FULL, _FILLING = 95, 85


def account(_: Deployment) -> Iterator[Finding]:
    """Whether a hole in it would be a hole in the whole machine."""
    if os.geteuid() == 0:
        text = "runs as root, unless the server runs as somebody else"
        yield Finding("account", "wrong", text, "an account of its own (the images have uid 10001), and no sudo")
    else:
        yield Finding("account", "ok", f"uid {os.geteuid()}")


def debugging(given: Deployment) -> Iterator[Finding]:
    """Whether it tells or allows more than callers and logs should see."""
    settings = given.settings
    switches = [name for name in _DEBUGGING if os.environ.get(name, "0") not in ("", "0")]
    if sys.flags.dev_mode or switches:
        yield Finding("debugging", "wrong", f"on: {', '.join(switches) or 'python -X dev'}", "off in production")
    else:
        yield Finding("debugging", "ok", "off")
    if settings.log_level == "DEBUG":
        yield Finding("log level", "warning", "DEBUG tells much, and costs disk", "LOG_LEVEL=INFO")
    elif settings.log_level == "INFO":
        yield Finding("log level", "ok", "INFO")
    else:
        text = f"{settings.log_level}: starts, loads and activations leave no line"
        yield Finding("log level", "warning", text, "LOG_LEVEL=INFO")


def ports(given: Deployment) -> Iterator[Finding]:
    """What listens on all interfaces, and so needs a firewall."""
    import psutil

    listening = [found for found in psutil.net_connections("tcp") if found.status == psutil.CONN_LISTEN]
    wide = {
        found.laddr.port: found.pid
        for found in listening
        if found.laddr and found.laddr.ip in ("0.0.0.0", "::")  # noqa: S104  # to be found, not to be listened on
    }
    if given.in_container:
        text = f"in this container: {_told(wide) or 'none'}; which are published, the machine outside knows"
        yield Finding("open ports", "ok", text, "ss -ltn on the machine itself")
    elif inner := {port: pid for port, pid in wide.items() if port not in _PUBLIC}:
        todo = "listen on 127.0.0.1, or a firewall: ufw default deny incoming; ufw allow 22,80,443/tcp; ufw enable"
        yield Finding("open ports", "warning", f"on all interfaces: {_told(inner)}", todo)
    else:
        yield Finding("open ports", "ok", f"on all interfaces: {_told(wide) or 'none'}")


def _told(ports: dict[int, int | None]) -> str:
    import psutil

    def name(pid: int | None) -> str:
        try:
            return f" ({psutil.Process(pid).name()})" if pid else ""
        except psutil.Error:
            return ""

    return ", ".join(f"{port}{name(pid)}" for port, pid in sorted(ports.items()))


def updates(given: Deployment) -> Iterator[Finding]:
    """How old what is installed is, and whether the machine updates itself."""
    days = (time.time() - _installed_at()) / 86400
    old = days > _OLD_DAYS
    todo = "make audit; then rebuild, or pip install --upgrade" if old else ""
    yield Finding("packages", "warning" if old else "ok", f"newest installed {days:.0f} days ago", todo)
    if given.in_container:
        yield Finding("system updates", "ok", "come with a new image", "rebuild weekly")
    elif _UPGRADES.is_dir():
        switched = any(_switches_on(file.read_text(errors="replace")) for file in _UPGRADES.iterdir())
        todo = "" if switched else "apt-get install unattended-upgrades; dpkg-reconfigure unattended-upgrades"
        text = f"unattended-upgrades is {'on' if switched else 'off'}"
        yield Finding("system updates", "ok" if switched else "warning", text, todo)
    else:
        yield Finding("system updates", "warning", "can't be seen on this system", "install security updates weekly")


def _installed_at() -> float:
    """When the newest package came, in seconds since 1970."""
    installed = Path(sysconfig.get_path("purelib"))
    return max((folder.stat().st_mtime for folder in installed.glob("*.dist-info")), default=0.0)


def _switches_on(text: str) -> bool:
    return re.search(r'^\s*APT::Periodic::Unattended-Upgrade\s+"[1-9]', text, re.MULTILINE) is not None


def disk(given: Deployment) -> Iterator[Finding]:
    """How full the disks of the data are."""
    import psutil

    for folder in dict.fromkeys(given.settings.data_folders):
        if not folder.exists():
            continue
        used = psutil.disk_usage(str(folder))
        text = f"{used.percent:.0f} % used, {used.free / 1e9:,.1f} GB free"
        verdict = "wrong" if used.percent >= _FULL else "warning" if used.percent >= _FILLING else "ok"
        todo = "" if verdict == "ok" else "make room, or lower PREDICTION_LOG_BYTES (runbook PerfcastDiskFills)"
        yield Finding(f"disk of {folder}", verdict, text, todo)  # type: ignore[arg-type]  # mypy sees str
