"""Stand between a store and its server and break connections in every way a network has, at random or as told."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterable, Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

LATE = 0.3
"""Seconds after which a request held back travels on: longer than the tests wait for an answer."""


class Fate(Enum):
    """Say what becomes of a request."""

    passes = "passes"
    dropped_before = "the connection closes and the server never hears of it"
    dropped_after = "the server does it and the connection closes"
    late = "the server gets it when the client has given up"
    slow = "the server does it and the answer comes when the client has given up"
    cut = "the answer breaks off in the middle"
    cut_quietly = "the answer is short and claims to be whole"
    refused = "503 before the server hears of it"
    failed = "502 after the server did it"
    crashed = "500 before the server hears of it"
    swallowed = "200 and a page to log in, and the server never hears of it"
    doubled = "the server gets it twice"


class Breaking(ThreadingHTTPServer):
    """Pass requests on to a port of this machine, each to its fate; ``questions`` are those of queries alone."""

    daemon_threads = True

    def __init__(self, port: int, fates: Iterator[Fate], questions: Iterator[Fate] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = port
        self.fates = fates
        self.questions = questions
        self.met: list[Fate] = []
        self.lock = threading.Lock()
        self.held_back: list[threading.Thread] = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fate(self, path: str) -> Fate:
        with self.lock:
            fates = self.fates if self.questions is None or path.startswith("/update") else self.questions
            fate = next(fates, Fate.passes)
            self.met.append(fate)
            return fate

    def calm(self) -> None:
        """Break nothing any more, and let arrive what was held back."""
        with self.lock:
            self.fates, self.questions = iter(()), None
        for thread in self.held_back:
            thread.join()

    def stop(self) -> None:
        self.calm()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: here they are meant to."""


class _Handler(BaseHTTPRequestHandler):
    server: Breaking
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fate = self.server.next_fate(self.path)
        if fate is Fate.dropped_before:
            self.hang_up()
        elif fate is Fate.late:
            thread = threading.Thread(target=lambda: (time.sleep(LATE), self.upstream(body)))
            self.server.held_back.append(thread)
            thread.start()
            time.sleep(LATE)
            self.hang_up()
        elif fate is Fate.refused:
            self.answer(503, "text/plain", b"closed for a moment")
        elif fate is Fate.crashed:
            self.answer(500, "text/plain", b"something broke")
        elif fate is Fate.swallowed:
            self.answer(200, "text/html", b"<html>Log in</html>")
        else:
            if fate is Fate.doubled:
                self.upstream(body)
            self.pass_on(fate, *self.upstream(body))

    def pass_on(self, fate: Fate, status: int, kind: str, body: bytes) -> None:
        if fate is Fate.slow:
            time.sleep(LATE)
        if fate in (Fate.slow, Fate.dropped_after):
            self.hang_up()
        elif fate is Fate.failed:
            self.answer(502, "text/html", b"<h1>Bad Gateway</h1>")
        elif fate is Fate.cut:
            self.answer(status, kind, body[: len(body) // 2], claimed=len(body) + 1)
            self.hang_up()
        elif fate is Fate.cut_quietly and body:
            self.answer(status, kind, body[: len(body) // 2])
        else:
            self.answer(status, kind, body)

    def upstream(self, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=10)
        try:
            headers = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        except OSError:
            return 502, "text/plain", b"nobody there"
        finally:
            connection.close()

    def answer(self, status: int, kind: str, body: bytes, claimed: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


QUICK = [fate for fate in Fate if fate not in (Fate.passes, Fate.late, Fate.slow)]


def at_random(chance: Random, bad: float) -> Iterator[Fate]:
    """Yield fates of which about ``bad`` (0 to 1) are not what a client hopes for; slow ones seldom."""
    while True:
        if chance.random() >= bad:
            yield Fate.passes
        elif chance.random() < 0.04:
            yield chance.choice([Fate.late, Fate.slow])
        else:
            yield chance.choice(QUICK)


class Scripted(ThreadingHTTPServer):
    """Give the answers of a list, one after the other, whatever is asked; the last one for ever."""

    daemon_threads = True

    def __init__(self, answers: Iterable[tuple[int, dict[str, str], bytes]]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Scripted)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Scripted(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status, headers, said = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""
