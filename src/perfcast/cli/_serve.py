"""`perfcast serve`: answer over HTTP."""

import typer


def serve(
    host: str | None = typer.Option(None, help="Address to listen on (API_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on, 0 for a free one (API_PORT)."),
    log_level: str | None = typer.Option(None, help="DEBUG, INFO, WARNING or ERROR (LOG_LEVEL)."),
) -> None:
    """Serve the registry's models over HTTP until Ctrl-C or SIGTERM.

    Examples:


        perfcast serve

        perfcast serve --host 0.0.0.0 --port 9000

        LOG_FORMAT=json DATABASE_URL=postgresql://… perfcast serve
    """
    from perfcast.api import serve as run
    from perfcast.settings import load_settings

    run(load_settings(api_host=host, api_port=port, log_level=log_level))
