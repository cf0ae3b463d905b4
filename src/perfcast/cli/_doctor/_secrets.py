"""Passwords that are well known, files that others can read, and what goes over the wire in the open."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from perfcast.cli._doctor._deployment import Deployment, host_of, is_local
from perfcast.cli._doctor._finding import Finding

DEFAULTS = frozenset(
    {
        "admin",
        "admin123",
        "changeme",
        "default",
        "example",
        "password",
        "perfcast",
        "postgres",
        "redis",
        "root",
        "secret",
    }
)
"""Passwords of examples, of the predecessors and of deploy/development."""
_LEAST_LENGTH = 12
_ENCRYPTED = ("require", "verify-ca", "verify-full")


def passwords(given: Deployment) -> Iterator[Finding]:
    """Whether the database and Redis have passwords, and of one's own."""
    for name, address in (("DATABASE_URL", given.settings.database_url), ("REDIS_URL", given.settings.redis_url)):
        if address and not address.startswith(("sqlite", "unix")):
            yield _password(name, urlsplit(address))


def _password(name: str, address: SplitResult) -> Finding:
    what, todo = f"password in {name}", "openssl rand -hex 24, there and here (./deploy.sh secrets)"
    password = unquote(address.password or "")
    if not password:
        text = "none" if is_local(address.hostname) else f"none, for {address.hostname}"
        return Finding(what, "warning" if is_local(address.hostname) else "wrong", text, todo)
    if password.lower() in DEFAULTS:
        return Finding(what, "wrong", "a well-known one", todo)
    if len(password) < _LEAST_LENGTH:
        return Finding(what, "warning", f"{len(password)} characters", todo)
    return Finding(what, "ok", "of your own")


def open_wires(given: Deployment) -> Iterator[Finding]:
    """Addresses on other machines to which state, keys or code go unencrypted."""
    settings = given.settings
    database = urlsplit(settings.database_url)
    mode = parse_qs(database.query).get("sslmode", [""])[0]
    if database.scheme.startswith("postgres") and not is_local(database.hostname) and mode not in _ENCRYPTED:
        text = f"PostgreSQL on {database.hostname} may be spoken to unencrypted"
        yield Finding(
            "wire to the database", "warning", text, "?sslmode=verify-full, unless the network is yours alone"
        )
    for name, plain, safe in (("REDIS_URL", "redis", "rediss"), ("MLFLOW_TRACKING_URI", "http", "https")):
        address = getattr(settings, name.lower())
        if address.startswith(f"{plain}://") and not is_local(host_of(address)):
            text = f"{plain}://{host_of(address)}"
            yield Finding(f"wire of {name}", "warning", text, f"{safe}://, unless the network is yours alone")
    dask = settings.dask_scheduler_address
    if dask and not dask.startswith("tls://"):
        local = is_local(host_of(dask))
        text = "a scheduler without TLS runs whatever anybody sends it"
        yield Finding("wire to Dask", "warning" if local else "wrong", text, "tls:// with certificates (cluster)")


def files(given: Deployment) -> Iterator[Finding]:
    """Secrets and state that other accounts of this machine can read or change."""
    held = [*_settings_files(given), Path(".env"), *given.settings.data_folders]
    seen = [str(path) for path in held if path.exists() and _open_to_others(path, stat.S_IROTH)]
    changed = [str(path) for path in held if path.exists() and _open_to_others(path, stat.S_IWOTH)]
    if changed:
        text = f"anybody here can change {', '.join(changed)}"
        yield Finding("file permissions", "wrong", text, "chmod o-rwx")
    elif seen and not given.in_container:
        yield Finding("file permissions", "warning", f"anybody here can read {', '.join(seen)}", "chmod o-rwx")
    else:
        yield Finding("file permissions", "ok", f"{sum(path.exists() for path in held)} looked at")


def _settings_files(given: Deployment) -> list[Path]:
    folders = [folder for folder in (given.secret_files, Path("secrets")) if folder is not None and folder.is_dir()]
    return [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]


def _open_to_others(path: Path, right: int) -> bool:
    """Whether other accounts have a right to it: they must get through every folder above."""
    absolute = path.absolute()
    if not absolute.stat().st_mode & right:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in absolute.parents)


def passed_on(given: Deployment) -> Iterator[Finding]:
    """Whether secrets stand in the environment, which is shown by `docker inspect` and inherited by children."""
    named = [name.upper() for name in ("api_key", "database_url", "redis_url") if name.upper() in os.environ]
    if given.secret_files is None and named:
        text = f"{', '.join(named)} from the environment, which docker inspect and /proc show"
        yield Finding("where secrets come from", "warning", text, "files, named by SETTINGS_DIR=/run/secrets")
    else:
        yield Finding("where secrets come from", "ok", str(given.secret_files or "none is set"))
