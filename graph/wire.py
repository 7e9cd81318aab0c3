"""Talk to a SPARQL 1.1 service: every way in which a connection can fail becomes a fault that says what to do.

SPARQLWrapper forms the requests of the protocol; they travel here, because what it travels with opens a connection per
request, follows redirections with the password in hand, and waits for ever. Nothing is tried twice that might be done
twice: questions are repeated, orders (updates) never; whoever gives them must know what a repetition does.
"""

from __future__ import annotations

import base64
import http.client
import io
import netrc
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from queue import Empty, LifoQueue
from typing import Final, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit
from urllib.request import Request

import pyoxigraph as ox
from SPARQLWrapper import INSERT, JSON, POST, POSTDIRECTLY, SELECT, SPARQLWrapper

from graph.errors import BadSetting, Place, StoreFault

RESULTS: Final = "application/sparql-results+json"
TRIPLES: Final = "application/n-triples"
_RESULTS_TOO: Final = frozenset({RESULTS, "application/json"})
_FORMATS: Final = {TRIPLES: ox.RdfFormat.N_TRIPLES, "text/turtle": ox.RdfFormat.TURTLE, "text/plain": None}

_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be gone in a moment."""

_UNFORESEEN: Final = (OSError, HTTPException)
"""What a connection raises; ``ssl.SSLError`` and ``TimeoutError`` are among them."""

_SHOWN: Final = 300
_LONGEST_PAUSE: Final = 10.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_T = TypeVar("_T")


class Unsettled(StoreFault):
    """No answer came, or half of one: whether the order was carried out is not known.

    ``slow`` when the time ran out, ``pause`` how many seconds the service asks to wait.
    """

    slow = False
    pause = 0.0


class Misread(StoreFault):
    """The service says that what it was sent is no query, or no update, that it understands; ``told`` is its word."""

    told = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold what proves who asks: a name and a password, or a token. Never shown, never part of an address."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def authorization(self) -> str:
        """Return the value of the header that proves it (RFC 7617, RFC 6750), empty for nobody."""
        if self.password:
            return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"
        return f"Bearer {self.token}" if self.token else ""

    def secrets(self) -> tuple[str, ...]:
        """Return what must never be told, longest first."""
        said = (self.authorization().partition(" ")[2], self.password, self.token)
        return tuple(sorted(filter(None, said), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Patience:
    """Say how long to wait: ``timeout`` seconds for an answer, ``tries`` in all, ``pause`` seconds that double."""

    timeout: float = 60.0
    tries: int = 5
    pause: float = 0.2

    def pauses(self) -> Iterator[float]:
        """Yield what to wait after each failed try but the last: nothing after the first, then ever longer."""
        for number in range(self.tries - 1):
            yield min(self.pause * 2.0 ** (number - 1), _LONGEST_PAUSE) if number else 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a whole answer: its media type without parameters, headers in small letters, and bytes."""

    kind: str
    headers: Mapping[str, str]
    body: bytes


class _Call(SPARQLWrapper):
    """Form a request of the SPARQL protocol.

    The sort of a text is told and not guessed: SPARQLWrapper takes the first word such as ``add`` in it, even in a
    comment, and sends a query to where updates go.
    """

    def __init__(self, address: str, text: str, sort: str, credentials: Credentials) -> None:
        parts = urlsplit(address)
        super().__init__(urlunsplit(parts._replace(query="")))
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            self.addParameter(name, value)
        self.setMethod(POST)
        self.setRequestMethod(POSTDIRECTLY)
        self.setReturnFormat(JSON)
        self.setOnlyConneg(True)
        if authorization := credentials.authorization():
            self.addCustomHttpHeader("Authorization", authorization)
        if sort == SELECT:
            self.addCustomHttpHeader("Accept", f"{RESULTS}, {TRIPLES};q=0.9, text/turtle;q=0.8")
        self.queryString, self.queryType = text, sort

    def request(self) -> Request:
        return self._createRequest()


class Wire:
    """Hold the connections to one service: its addresses for queries, updates and, where it has one, graphs.

    May be used from many threads at once; each request has a connection of its own, kept for the next.
    """

    def __init__(self, query: str, update: str, graphs: str | None, credentials: Credentials, patience: Patience):
        self.query, self.update, self.graphs = query, update, graphs
        self.credentials = credentials
        self.patience = patience
        self._secrets = credentials.secrets()
        self._idle: dict[tuple[str, str], LifoQueue[HTTPConnection]] = {}
        self.requests = 0
        for address in filter(None, (query, update, graphs)):
            self._check(address)
            parts = urlsplit(address)
            self._idle[parts.scheme, parts.netloc] = LifoQueue()

    def _check(self, address: str) -> None:
        parts = urlsplit(address)
        shown = Place(shown_address(address))
        try:
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fine = False
        if not fine or not address.isascii() or any(mark in address for mark in ' "<>\r\n'):
            raise BadSetting(
                "This is no address of a store", remedy="Write it like https://store.example.org/query.", place=shown
            )
        if parts.username or parts.password:
            raise BadSetting(
                "The address of the store holds a name or a password",
                remedy="Put them in DIABA_STORE_USER and DIABA_STORE_PASSWORD, or in a netrc file.", place=shown,
            )  # fmt: skip
        if self._secrets and parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise BadSetting(
                "The password of the store would travel without encryption", remedy="Use https://.", place=shown
            )

    # --- what can be asked and ordered --------------------------------------------------------------------------------

    def ask(self, text: str, read: Callable[[Answer], _T]) -> _T:
        """Put a query and read its answer; half an answer counts as none, so the query is put again."""
        request = _Call(self.query, text, SELECT, self.credentials).request()

        def once() -> _T:
            answer = self._whole(request)
            try:
                return read(answer)
            except (SyntaxError, ValueError) as error:
                raise self._broken(request, f"gave half an answer ({_clipped(str(error))})") from error

        return self.patiently(once)

    def order(self, text: str) -> None:
        """Send an update, once. Raises ``Unsettled`` where it may have been carried out all the same."""
        self._whole(_Call(self.update, text, INSERT, self.credentials).request())

    def stream(self, text: str) -> Iterator[ox.QuerySolution]:
        """Put a query and yield its rows as they come; an answer that breaks off later is a fault all the same."""
        request = _Call(self.query, text, SELECT, self.credentials).request()
        connection, response = self.patiently(lambda: self._begin(request))
        try:
            if _kind(response) not in _RESULTS_TOO:
                raise self._strange(request, _kind(response), self._drain(response, request)[:4096])
            rows = 0
            found = None
            while True:
                # Only what reading raises is caught here: what the caller does with a row is no fault of the store.
                try:
                    found = found or _table(response)
                    row = next(found)
                except StopIteration:
                    break
                except _UNFORESEEN as error:
                    raise self._failed(request, error) from error
                except (SyntaxError, ValueError) as error:
                    raise self._broken(request, f"gave half an answer ({_clipped(str(error))})") from error
                rows += 1
                yield row
            if self._drain(response, request):
                raise self._broken(request, "said more after the end of its answer")
            self._check_limits(_headers(response), rows)
        finally:
            found = None  # see _rows
            connection.close()

    def post_graph(self, graph: str, body: bytes) -> None:
        """Add N-Triples to a graph by the graph store protocol, again where that may help: adding twice is as once."""
        address = self.graphs or ""
        request = Request(f"{address}{'&' if '?' in address else '?'}graph={quote(graph, safe='')}", body)
        request.add_header("Content-Type", TRIPLES)
        if authorization := self.credentials.authorization():
            request.add_header("Authorization", authorization)
        self.patiently(lambda: self._whole(request))

    def patiently(self, once: Callable[[], _T]) -> _T:
        """Do something that is harmless when repeated until it works or patience ends; do not repeat what is slow."""
        for pause in self.patience.pauses():
            try:
                return once()
            except Unsettled as fault:
                if fault.slow:
                    raise
                time.sleep(max(pause, fault.pause))
        return once()

    def close(self) -> None:
        """Close every connection that waits for a next request."""
        for idle in self._idle.values():
            while True:
                try:
                    idle.get_nowait().close()
                except Empty:
                    break

    # --- one request --------------------------------------------------------------------------------------------------

    def _whole(self, request: Request) -> Answer:
        connection, response = self._send(request)
        try:
            body = self._drain(response, request)
        except BaseException:
            connection.close()
            raise
        self._keep(request, connection, response)
        return self._judge(request, response, body)

    def _begin(self, request: Request) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request and return its answer as soon as it is known to be one."""
        connection, response = self._send(request)
        if response.status != 200:
            try:
                self._judge(request, response, self._drain(response, request))
            finally:
                connection.close()
        return connection, response

    def _send(self, request: Request) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request and return its answer, of which only the head was read."""
        self.requests += 1
        connection = self._connection(request)
        body = request.data if isinstance(request.data, bytes) else None
        headers = dict(request.header_items())
        try:
            connection.request(request.get_method(), request.selector, body, headers)
            return connection, connection.getresponse()
        except _UNFORESEEN as error:
            connection.close()
            # The service has restarted, or hangs up on idle connections: the others will be of no use either.
            self.close()
            raise self._failed(request, error) from error

    def _connection(self, request: Request) -> HTTPConnection:
        try:
            return self._idle[request.type, request.host].get_nowait()
        except Empty:
            pass
        if request.type == "https":
            context = ssl.create_default_context()
            return HTTPSConnection(request.host, timeout=self.patience.timeout, context=context)
        return HTTPConnection(request.host, timeout=self.patience.timeout)

    def _keep(self, request: Request, connection: HTTPConnection, response: HTTPResponse) -> None:
        # Read to its end it is, but it must be told so before the connection takes another request.
        response.close()
        if response.will_close:
            connection.close()
        else:
            self._idle[request.type, request.host].put(connection)

    def _drain(self, response: HTTPResponse, request: Request) -> bytes:
        """Read an answer to its end; a trickle must end in time as well."""
        last = time.monotonic() + self.patience.timeout
        pieces = io.BytesIO()
        try:
            while piece := response.read1(1 << 20):
                pieces.write(piece)
                if time.monotonic() > last:
                    raise TimeoutError
        except _UNFORESEEN as error:
            raise self._failed(request, error) from error
        if response.length:  # bytes that were promised and never came
            raise self._broken(request, "broke off its answer")
        return pieces.getvalue()

    def _judge(self, request: Request, response: HTTPResponse, body: bytes) -> Answer:
        status = response.status
        if 200 <= status < 300:
            return Answer(_kind(response), _headers(response), body)
        told = self._told(body)
        if status in _AGAIN:
            raise self._busy(request, response, told)
        remedies = {
            400: "Correct the query; if Diaba wrote it, the store does not understand SPARQL 1.1.",
            401: "Check DIABA_STORE_USER and DIABA_STORE_PASSWORD, DIABA_STORE_TOKEN or the netrc file.",
            403: "Ask whoever runs the store for the right to query and to update.",
            404: "Check the addresses in DIABA_STORE.",
            405: "Check the addresses in DIABA_STORE: queries, updates and graphs may have one each.",
            413: "Lower at-once in DIABA_STORE, or raise the limit of the store.",
        }
        if status == 400:
            raise self._misread(request, told, remedies[400])
        if 300 <= status < 400:
            told = " and sends elsewhere, which is not followed"
        raise StoreFault(
            f"The store answered {status} {http.client.responses.get(status, '')}{told}",
            remedy=remedies.get(status, "Check the addresses in DIABA_STORE and what the store says."),
            place=_place(request),
        )

    # --- faults -------------------------------------------------------------------------------------------------------

    # Faults are made apart from where they are raised: a name for one in the frame it passes through would be a circle,
    # and keep all that its callers held until garbage is collected, by whichever thread.

    def _busy(self, request: Request, response: HTTPResponse, told: str) -> Unsettled:
        fault = Unsettled(
            f"The store answered {response.status} {http.client.responses.get(response.status, '')}{told}",
            remedy="Try again in a moment; if it stays, look into the log of the store.",
            place=_place(request),
        )
        wait = response.getheader("Retry-After", "")
        fault.pause = min(float(wait), _LONGEST_PAUSE) if wait.isdecimal() else 0.0
        return fault

    def _misread(self, request: Request, told: str, remedy: str) -> Misread:
        fault = Misread(f"The store answered 400 Bad Request{told}", remedy=remedy, place=_place(request))
        fault.told = told.removeprefix(": ") or "the store says no more"
        return fault

    def _broken(self, request: Request, how: str) -> Unsettled:
        return Unsettled(
            f"The store {how}",
            remedy="Try again; if it stays, look for a time limit of the store or of a proxy before it.",
            place=_place(request),
        )

    def _failed(self, request: Request, error: Exception) -> Unsettled:
        if isinstance(error, TimeoutError):
            fault = Unsettled(
                f"The store did not answer within {self.patience.timeout:g} seconds",
                remedy="Ask for less, or give it more time with timeout= in DIABA_STORE.", place=_place(request),
            )  # fmt: skip
            fault.slow = True
            return fault
        if isinstance(error, ssl.SSLError):
            remedy = "Check the certificate of the store; SSL_CERT_FILE names the authorities to trust."
        elif isinstance(error, ConnectionRefusedError):
            remedy = "Start the store, or check its address in DIABA_STORE."
        else:
            remedy = "Check the network and that the store is running, then try again."
        what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return Unsettled(f"The connection to the store was lost: {what}", remedy=remedy, place=_place(request))

    def _strange(self, request: Request, kind: str, body: bytes) -> StoreFault:
        return StoreFault(
            f"The store answered with {kind or 'an unnamed kind of text'}{self._told(body)}",
            remedy="Check that the address in DIABA_STORE is that of a SPARQL service.", place=_place(request),
        )  # fmt: skip

    def _told(self, body: bytes) -> str:
        text = " ".join(body.decode("utf-8", "replace").split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return f": {_clipped(text)}" if text else ""

    def results(self, answer: Answer) -> ox.QuerySolutions | ox.QueryBoolean:
        """Read a table or a yes or no, whole: what is cut off is a ``ValueError`` or a ``SyntaxError``."""
        self.check_kind(answer, _RESULTS_TOO)
        if not isinstance(ox.parse_query_results(answer.body, format=ox.QueryResultsFormat.JSON), ox.QueryBoolean):
            self._check_limits(answer.headers, len(_rows(answer.body)))
        return ox.parse_query_results(answer.body, format=ox.QueryResultsFormat.JSON)

    def rows(self, answer: Answer) -> list[ox.QuerySolution]:
        """Read a table to its last row."""
        self.check_kind(answer, _RESULTS_TOO)
        rows = _rows(answer.body)
        self._check_limits(answer.headers, len(rows))
        return rows

    def triples(self, answer: Answer) -> list[ox.Triple]:
        """Read statements to the last one."""
        self.check_kind(answer, frozenset(_FORMATS))
        syntax = _FORMATS[answer.kind] or ox.RdfFormat.N_TRIPLES
        return [ox.Triple(*quad.triple) for quad in ox.parse(answer.body, format=syntax)]

    def check_kind(self, answer: Answer, kinds: frozenset[str]) -> None:
        if answer.kind not in kinds:
            raise self._strange(Request(self.query), answer.kind, answer.body[:4096])

    def _check_limits(self, headers: Mapping[str, str], rows: int) -> None:
        """Notice what Virtuoso says in its headers alone: that it stopped at its own limit of rows or of time."""
        most = headers.get("x-sparql-maxrows", "")
        if (most.isdecimal() and rows >= int(most)) or "x-sql-state" in headers:
            raise StoreFault(
                f"The store cut its answer off after {rows} rows, at a limit of its own",
                remedy="Raise its limits of rows and time (ResultSetMaxRows, MaxQueryExecutionTime in Virtuoso).",
                place=Place(shown_address(self.query)),
            )


def shown_address(address: str) -> str:
    """Return an address without what may be secret in it: name, password, parameters."""
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def credentials_for(host: str, environment: Mapping[str, str]) -> Credentials:
    """Find what proves who asks: ``DIABA_STORE_USER`` and ``_PASSWORD``, ``DIABA_STORE_TOKEN``, or the netrc file."""
    user, password = environment.get("DIABA_STORE_USER", ""), environment.get("DIABA_STORE_PASSWORD", "")
    token = environment.get("DIABA_STORE_TOKEN", "")
    if bool(user) != bool(password):
        raise BadSetting("Only one of DIABA_STORE_USER and DIABA_STORE_PASSWORD is set", remedy="Set both, or neither.")
    if user or token:
        return Credentials(user, password, "" if user else token)
    try:
        known = netrc.netrc(environment.get("NETRC")).authenticators(host)
    except FileNotFoundError:
        return Credentials()
    except (netrc.NetrcParseError, OSError) as error:
        place = Place(error.filename or "netrc", getattr(error, "lineno", None))
        raise BadSetting("The netrc file cannot be read", remedy="Correct it or its rights.", place=place) from error
    return Credentials(known[0], known[2] or "") if known else Credentials()


def _table(source: bytes | HTTPResponse) -> ox.QuerySolutions:
    found = ox.parse_query_results(source, format=ox.QueryResultsFormat.JSON)
    if isinstance(found, ox.QueryBoolean):
        raise ValueError("a yes or no instead of a table")
    return found


def _rows(source: bytes) -> list[ox.QuerySolution]:
    """Read a table whole; ``ValueError`` or ``SyntaxError`` where it is not.

    Leaves no reference to the table where it breaks off: an error keeps the variables of all it passes through, is
    freed by whichever thread collects garbage, and a table must not be freed by another than made it.
    """
    table = _table(source)
    try:
        return list(table)
    finally:
        del table


def _headers(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _kind(response: HTTPResponse) -> str:
    return response.getheader("Content-Type", "").partition(";")[0].strip().lower()


def _place(request: Request) -> Place:
    return Place(shown_address(request.full_url))


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
