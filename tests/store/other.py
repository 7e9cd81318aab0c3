"""Serve SPARQL from rdflib, an engine that shares nothing with the one the embedded store runs on."""

from __future__ import annotations

import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import rdflib


class Other(HTTPServer):
    """Hold a dataset whose default graph is the union; one request at a time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.dataset = rdflib.Dataset(default_union=True)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Other

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's own use of rdflib
            kind, body = self.run(text)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def run(self, text: str) -> tuple[str, bytes]:
        if self.path.startswith("/update"):
            self.server.dataset.update(text)
            return "text/plain", b""
        result = self.server.dataset.query(text)
        if result.type in ("CONSTRUCT", "DESCRIBE"):
            return "application/n-triples", result.serialize(format="nt", encoding="utf-8") or b""
        return "application/sparql-results+json", result.serialize(format="json") or b""

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""
