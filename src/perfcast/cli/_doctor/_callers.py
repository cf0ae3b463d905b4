"""Who may call, how often, how much, and whether somebody listens in."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from perfcast.api.access import make_gate, parse_keys, weak_keys
from perfcast.cli._doctor._deployment import Deployment, is_local
from perfcast.cli._doctor._finding import Finding

_SECONDS = 3.0
_OLD_KEY_DAYS = 365
_CERTIFICATE_DAYS = 14
_MOST_BODY, _MOST_BATCH = 100_000_000, 1_000_000_000
_MOST_TIMEOUT = 120
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # to be found, not to be listened on
NEW_KEY = "API_KEY=$(openssl rand -hex 24)"


def authentication(given: Deployment) -> Iterator[Finding]:
    """Whether keys are asked for, and whether they can be guessed."""
    text = given.settings.api_key.get_secret_value()
    keys = parse_keys(text)
    if keys is None:
        yield Finding("authentication", "wrong", "no API_KEY: whoever reaches the port may do everything", NEW_KEY)
        return
    gate = make_gate(given.settings)
    yield Finding("authentication", "ok", gate.summary if gate is not None else "")
    weak = weak_keys(text)
    told = "; ".join(f"key {place} {reason}" for place, reason in weak.items())
    yield Finding("keys' strength", "wrong" if weak else "ok", told or "none can be guessed", NEW_KEY if weak else "")
    mighty = sum("admin" in key.scopes for key in keys)
    if mighty == len(keys):
        text = "every key may do everything"
        yield Finding("keys' scopes", "warning", text, "give callers keys such as SECRET:read+predict")
    else:
        yield Finding("keys' scopes", "ok", f"{mighty} of {len(keys)} may do everything")


def keys_age(given: Deployment) -> Iterator[Finding]:
    """How long ago the file with the keys was written; of a variable nobody knows."""
    file = given.secret_files / "api_key" if given.secret_files is not None else None
    if file is None or not file.is_file():
        text = "not known: API_KEY is no file of SETTINGS_DIR"
        yield Finding("keys' age", "warning", text, "change keys once a year; keep old and new side by side meanwhile")
        return
    days = (time.time() - file.stat().st_mtime) / 86400
    old = days > _OLD_KEY_DAYS
    yield Finding("keys' age", "warning" if old else "ok", f"{days:.0f} days", "make new ones" if old else "")


def tls(given: Deployment) -> Iterator[Finding]:
    """Whether callers come by HTTPS, as `API_PUBLIC_URL` says, and how long its certificate holds."""
    settings = given.settings
    address = urlsplit(settings.api_public_url)
    if address.scheme == "https":
        yield _certificate(address.hostname or "", address.port or 443)
    elif address.scheme and not is_local(address.hostname):
        text = f"callers come by {address.scheme}: keys can be read on the way"
        yield Finding("TLS", "wrong", text, "TLS in front (deploy/nginx), and API_PUBLIC_URL=https://…")
    elif settings.trusted_proxies:
        text = "a proxy in front is trusted; whether it speaks TLS isn't known"
        yield Finding("TLS", "warning", text, "API_PUBLIC_URL=https://… has it looked at")
    else:
        exposed = not is_local(settings.api_host)
        text = f"the API listens on {settings.api_host} without TLS, and no proxy is named"
        todo = "TLS in front (deploy/nginx), TRUSTED_PROXIES and API_PUBLIC_URL=https://…"
        yield Finding("TLS", "wrong" if exposed else "warning", text, todo)


def _certificate(host: str, port: int) -> Finding:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            version, certificate = secured.version(), secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Finding("TLS", "wrong", f"{host}: {error.verify_message}", "a certificate that browsers accept")
    except OSError as error:
        return Finding("TLS", "warning", f"{host}:{port} can't be reached from here: {error}", "look from outside")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    soon = days < _CERTIFICATE_DAYS
    text = f"{version}; the certificate of {host} ends in {days} days"
    return Finding("TLS", "warning" if soon else "ok", text, "renew it" if soon else "")


def proxies(given: Deployment) -> Iterator[Finding]:
    """Whether everybody is believed when saying who they are."""
    networks = [part.strip() for part in given.settings.trusted_proxies.split(",") if part.strip()]
    if any(network.endswith("/0") for network in networks):
        text = "TRUSTED_PROXIES believes everybody: addresses can be made up, and limits by address passed by"
        yield Finding("proxies", "wrong", text, "name the proxies' own addresses")
    else:
        yield Finding("proxies", "ok", f"believed: {', '.join(networks) or 'nobody'}")


def rate_limit(given: Deployment) -> Iterator[Finding]:
    """Whether callers are bounded, by all processes together."""
    settings = given.settings
    if not settings.rate_limit:
        text = "no RATE_LIMIT: one caller may take all there is"
        yield Finding("rate limit", "warning", text, "RATE_LIMIT=600/minute, unless the proxy in front limits")
    elif not settings.redis_url and settings.api_processes > 1:
        text = f"{settings.rate_limit}, counted by each of {settings.api_processes} processes for itself"
        yield Finding("rate limit", "warning", text, "REDIS_URL=redis://… makes them count together")
    else:
        yield Finding("rate limit", "ok", settings.rate_limit)


def request_bounds(given: Deployment) -> Iterator[Finding]:
    """Whether a request may be so large, or so slow, that a few of them fill the process."""
    settings = given.settings
    bounds = {
        "MAX_BODY_BYTES": (settings.max_body_bytes, _MOST_BODY),
        "MAX_BATCH_BYTES": (settings.max_batch_bytes, _MOST_BATCH),
        "REQUEST_TIMEOUT_SECONDS": (settings.request_timeout_seconds, _MOST_TIMEOUT),
    }
    wide = [f"{name}={value:,.0f} (over {most:,})" for name, (value, most) in bounds.items() if value > most]
    if wide:
        yield Finding("request bounds", "warning", "; ".join(wide), "lower them to what your callers need")
    else:
        text = f"bodies {settings.max_body_bytes:,} bytes, batches {settings.max_batch_bytes:,}"
        yield Finding("request bounds", "ok", f"{text}, {settings.request_timeout_seconds:g} s")


def interfaces(given: Deployment) -> Iterator[Finding]:
    """Whether the API and the UI, which asks for no password, are open to every network."""
    settings = given.settings
    named = {"API_HOST": settings.api_host, "UI_HOST": settings.ui_host}
    wide = [name for name, host in named.items() if host in _EVERYWHERE]
    if wide and not given.in_container and not settings.trusted_proxies:
        text = f"{' and '.join(wide)} listen on all interfaces, with no proxy named"
        yield Finding("interfaces", "warning", text, "127.0.0.1 behind a proxy on this machine, or a private address")
    else:
        yield Finding("interfaces", "ok", ", ".join(f"{name}={host}" for name, host in named.items()))
