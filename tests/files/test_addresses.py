"""Addresses are fetched once, with a limit, and told when they do not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from graph import files
from graph.errors import Malformed, Place, Unreadable
from graph.files import open_inputs, parse

TURTLE = b"<a> <http://a/b> <c> ."


class Answers(BaseHTTPRequestHandler):
    """Answer with Turtle, something large, something odd, or not at all."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/astray":
            self.send_response(302)
            self.send_header("Location", "http://[::1")
            self.end_headers()
            return
        if self.path == "/broken":
            self.send_response(200)
            self.send_header("Content-Type", "application/n-triples")
            self.send_header("Content-Length", "82")
            self.end_headers()
            self.wfile.write(b"<http://a/a> <http://a/b> <http://a/c> .\n")
            return
        if self.path == "/babble":
            self.wfile.write(b"hello\r\n\r\n")
            return
        if self.path == "/none":
            self.send_error(404)
            return
        if self.path == "/table.csv":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"name\n1\n2,3\n")
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


@pytest.mark.parametrize(
    ("written", "asked", "source"),
    [
        ("/đất.ttl", "/%C4%91%E1%BA%A5t.ttl", "/đất.ttl"),
        ("/%C4%91%E1%BA%A5t.ttl", "/%C4%91%E1%BA%A5t.ttl", "/%C4%91%E1%BA%A5t.ttl"),
        ("/a b.ttl?ngày=a b#c", "/a%20b.ttl?ng%C3%A0y=a%20b", "/a%20b.ttl?ngày=a%20b#c"),
        ("/" + "ắ" * 99 + ".ttl", "/" + "%E1%BA%AF" * 99 + ".ttl", "/" + "ắ" * 99 + ".ttl"),
    ],
)
def test_an_address_may_be_written_as_people_write_it(site: str, written: str, asked: str, source: str) -> None:
    with open_inputs([site + written]) as [[found]]:
        assert Answers.asked[-1] == asked
        assert (found.address, found.name) == (site + source, site + written)
        assert len(list(parse(found, found.address))) == 1


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://a:b/c.ttl", "http:///c.ttl", "http:c.ttl", f"http://{'a' * 99}.vn/", "file://[/"]
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(Unreadable, match="is no address") as told, open_inputs([address]):
        pass
    assert str(told.value).startswith(address)
    assert told.value.remedy


@pytest.mark.parametrize("path", ["/astray", "/babble"])
def test_a_server_that_answers_nonsense_is_told(site: str, path: str) -> None:
    with pytest.raises(Unreadable, match="cannot be reached"), open_inputs([site + path]):
        pass


def test_an_answer_that_breaks_off_between_two_statements_is_refused(site: str) -> None:
    with pytest.raises(Unreadable, match="broke off"), open_inputs([site + "/broken"]):
        pass


def test_a_fault_in_a_fetched_table_names_the_address(site: str, tmp_path: Path) -> None:
    rules = tmp_path / "names.rq"
    rules.write_text("# problem: a\n# solution: b\nCONSTRUCT { ?row ?p ?o } WHERE { ?row ?p ?o }")
    with open_inputs([site + "/table.csv"], rules) as [[found]], pytest.raises(Malformed) as told:
        list(parse(found, found.address))
    assert told.value.place == Place(site + "/table.csv", 3)


def test_a_path_that_looks_like_an_address_of_the_network_is_a_path() -> None:
    with pytest.raises(Unreadable, match="No such file"), open_inputs(["//[none.ttl"]):
        pass


def test_nobody_listening_is_told() -> None:
    with pytest.raises(Unreadable, match="cannot be reached"), open_inputs(["http://127.0.0.1:9/x"]):
        pass


def test_a_large_answer_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_DOWNLOAD", 1000)
    with pytest.raises(Unreadable, match="larger than"), open_inputs([site + "/large"]):
        pass
