"""What the checks for production look at."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from perfcast.settings import Settings, is_loopback, settings_folder


@dataclass(frozen=True)
class Deployment:
    """The settings, and what is around Perfcast.

    Attributes:
        settings: As the server has them.
        backups: Folder of backups; None: not told.
        prometheus: Its address; empty: not told.
        grafana: Its address; empty: not told.
    """

    settings: Settings
    backups: Path | None = None
    prometheus: str = ""
    grafana: str = ""

    @property
    def secret_files(self) -> Path | None:
        """Folder whose files are settings (`SETTINGS_DIR`), where there is one."""
        return settings_folder()

    @property
    def in_container(self) -> bool:
        """Whether this process sees a container's files and ports instead of the machine's."""
        marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
        return any(mark.exists() for mark in marks) or "KUBERNETES_SERVICE_HOST" in os.environ


def is_local(host: str | None) -> bool:
    """Whether what is sent to that host stays on this machine; no host is a socket file's."""
    return not host or is_loopback(host)


def host_of(address: str) -> str:
    """The host of an address; empty where it names none, or can't be read."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
