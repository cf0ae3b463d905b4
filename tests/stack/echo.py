"""A stand-in for whatever is behind nginx: says who answered, counts, and does on request what dying servers do."""

import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAME = socket.gethostname()
SEEN = Path("/tmp/seen")


class Echo(BaseHTTPRequestHandler):
    """`/die…` is read and then cut off without an answer; everything else is answered with what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(b"hello from the socket")
            self.close_connection = True
            return
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with SEEN.open("a") as seen:
            seen.write(f"{self.command} {self.path}\n")
        if self.headers.get("X-Die"):
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        told = {"name": NAME, "path": self.path, "bytes": len(body), "headers": dict(self.headers)}
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *told: object) -> None:
        """Nothing."""


def main() -> None:
    for port in map(int, sys.argv[1:]):
        server = ThreadingHTTPServer(("0.0.0.0", port), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    while os.getppid() >= 0:
        time.sleep(60)


if __name__ == "__main__":
    main()
