"""Addresses are fetched once, with a limit, and told when they do not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from graph import files
from graph.errors import Unreadable
from graph.files import open_inputs, parse

TURTLE = b"<a> <http://a/b> <c> ."


class Answers(BaseHTTPRequestHandler):
    """Answer with Turtle, something large, or not at all."""

    def do_GET(self) -> None:
        if self.path == "/none":
            self.send_error(404)
            return
        body = b" " * 5000 + TURTLE if self.path == "/large" else TURTLE
        self.send_response(200)
        self.send_header("Content-Type", "text/turtle; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_its_own_source_and_base(site: str) -> None:
    with open_inputs([site + "/catalogue"]) as [[found]]:
        assert found.address == site + "/catalogue"
        [quad] = parse(found, found.address)
        assert str(quad.subject) == f"<{site}/a>"


def test_an_address_without_an_answer_is_told(site: str) -> None:
    with pytest.raises(Unreadable, match="404"), open_inputs([site + "/none"]):
        pass


def test_nobody_listening_is_told() -> None:
    with pytest.raises(Unreadable, match="cannot be reached"), open_inputs(["http://127.0.0.1:9/x"]):
        pass


def test_a_large_answer_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_DOWNLOAD", 1000)
    with pytest.raises(Unreadable, match="larger than"), open_inputs([site + "/large"]):
        pass
