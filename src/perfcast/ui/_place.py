"""Where things are: the API, its documentation, Grafana, the docs."""

from functools import cache

from perfcast.settings import Settings, load_settings


@cache
def _settings() -> Settings:
    return load_settings()


def api_url() -> str:
    """Where this process finds the API."""
    settings = _settings()
    return settings.api_url or f"http://127.0.0.1:{settings.api_port}"


def public_url() -> str:
    """Where people's browsers find the API, for links to its documentation."""
    return _settings().api_public_url or api_url()


def grafana_url() -> str:
    """Where Grafana is; empty where nobody said."""
    return _settings().grafana_url


def docs_url() -> str:
    """Where Perfcast's docs are served, without a slash at the end; empty where nobody said."""
    return _settings().docs_url.rstrip("/")


def redis_url() -> str:
    """Where what people keep is kept; empty for this process's memory."""
    return _settings().redis_url
