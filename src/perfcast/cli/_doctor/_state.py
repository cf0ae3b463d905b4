"""What is kept: where, for how long, how often copied, and what a file may do to it."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from perfcast.cli._doctor._deployment import Deployment
from perfcast.cli._doctor._finding import Finding

_FRESH_HOURS, _STALE_HOURS = 26, 168
_OVER_NETWORKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "glusterfs", "ceph"})


def database(given: Deployment) -> Iterator[Finding]:
    """Whether it bears several processes and machines."""
    settings = given.settings
    if not settings.database_address.startswith("sqlite"):
        yield Finding("database", "ok", "PostgreSQL")
        return
    todo = "DATABASE_URL=postgresql://…"
    kind = _file_system(settings.data_folders[-1])
    if kind in _OVER_NETWORKS:
        yield Finding("database", "wrong", f"SQLite on {kind}, which loses its locks", todo)
    elif settings.redis_url or settings.dask_scheduler_address:
        yield Finding("database", "wrong", "SQLite, though the settings speak of several machines", todo)
    elif settings.api_processes > 1:
        text = f"SQLite with {settings.api_processes} processes: they queue to write"
        yield Finding("database", "warning", text, todo)
    else:
        yield Finding("database", "warning", "SQLite: one machine, and no replicas", f"{todo} where you need more")


def _file_system(folder: Path) -> str:
    """The kind of file system that a folder is on; empty: not known."""
    import psutil

    absolute = folder.absolute()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if absolute.is_relative_to(mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else ""


def backups(given: Deployment) -> Iterator[Finding]:
    """How old the newest backup is."""
    folder, todo = given.backups, "perfcast backup every night, to another machine; try restore"
    if folder is None:
        yield Finding("backups", "warning", "not looked at", "--backups FOLDER has their age looked at")
        return
    files = [file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
    if not files:
        yield Finding("backups", "wrong", f"none in {folder}", todo)
        return
    newest = max(files, key=lambda file: file.stat().st_mtime)
    hours = (time.time() - newest.stat().st_mtime) / 3600
    empty = newest.stat().st_size == 0
    text = f"{newest.name} is {hours:.0f} hours old" + (", and empty" if empty else "")
    if empty or hours > _STALE_HOURS:
        yield Finding("backups", "wrong", text, todo)
    else:
        yield Finding(
            "backups", "warning" if hours > _FRESH_HOURS else "ok", text, todo if hours > _FRESH_HOURS else ""
        )


def retention(given: Deployment) -> Iterator[Finding]:
    """Whether records of predictions are bounded, and fit on the disk."""
    import psutil

    settings = given.settings
    if not settings.prediction_log:
        yield Finding("retention", "ok", "no records of predictions are kept")
    elif not settings.prediction_log_bytes:
        text = f"records stay {settings.prediction_log_days:g} days, whatever their size"
        yield Finding("retention", "warning", text, "PREDICTION_LOG_BYTES=5GB")
    else:
        text = f"{settings.prediction_log_days:g} days, {settings.prediction_log_bytes / 1e9:,.3g} GB at most"
        folder = settings.data_folders[-1]
        local = settings.database_address.startswith("sqlite") and folder.exists()
        if local and settings.prediction_log_bytes > psutil.disk_usage(str(folder)).total:
            yield Finding("retention", "wrong", f"{text}: more than the disk has", "lower PREDICTION_LOG_BYTES")
        else:
            yield Finding("retention", "ok", text)


def foreign_models(given: Deployment) -> Iterator[Finding]:
    """Whether files that run code when they are read come from a place that only you write to."""
    settings = given.settings
    folder = settings.models_dir
    if folder is None:
        yield Finding("foreign models", "ok", "no MODELS_DIR: no file of others is read")
        return
    if settings.models_unconfined:
        text = "MODELS_UNCONFINED: joblib files run with network and secrets in reach"
        yield Finding("foreign models", "wrong", text, "unset it; upload graphs instead")
    elif folder.exists() and folder.stat().st_mode & stat.S_IWOTH:
        text = f"anybody here can put a file that runs code into {folder}"
        yield Finding("foreign models", "wrong", text, "chmod o-w")
    elif folder.exists() and os.access(folder, os.W_OK):
        text = f"{folder}, converted in a process that is shut in; Perfcast itself could write there"
        yield Finding("foreign models", "warning", text, "mount it read-only")
    else:
        yield Finding("foreign models", "ok", f"{folder}, read-only, converted in a process that is shut in")
