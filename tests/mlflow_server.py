"""A small real server that records calls and answers as MLflow's REST reference says."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Server(ThreadingHTTPServer):
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.known = False
        self.runs: list[str] = []
        self.redirects_to = ""
        self.fails_at = ""
        self.sleeps = 0.0
        self.artifacts = "mlflow-artifacts:/7/r1/artifacts"
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.headers.append(dict(self.headers))
        content = body if "mlflow-artifacts" in self.path else json.loads(body or b"null")
        self.server.calls.append((self.command, self.path, content))
        time.sleep(self.server.sleeps)
        status, answer = self._content()
        if self.server.redirects_to:
            status = 302
        self.send_response(status)
        if self.server.redirects_to:
            self.send_header("Location", self.server.redirects_to)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def _content(self) -> tuple[int, dict[str, Any]]:
        if self.server.fails_at and self.server.fails_at in self.path:
            return 500, {"error_code": "INTERNAL_ERROR"}
        run = {"info": {"run_id": "r1", "artifact_uri": self.server.artifacts}}
        if "runs/create" in self.path:
            self.server.runs.append("r1")
        if "get-by-name" in self.path and not self.server.known:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        answers: dict[str, dict[str, Any]] = {
            "experiments/create": {"experiment_id": "7"},
            "get-by-name": {"experiment": {"experiment_id": "7"}},
            "runs/search": {"runs": [run]} if self.server.runs else {},
            "runs/create": {"run": run},
        }
        return 200, next((answer for part, answer in answers.items() if part in self.path), {})


@contextmanager
def running() -> Iterator[Server]:
    """A server on loopback, ended at the end."""
    server = Server()
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
