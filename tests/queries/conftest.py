"""Build the example register once, as every engine reads it: a store, an rdflib dataset, a server of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from graph.register import Register
from graph.store import OxigraphStore

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "register.ttl"
SOURCE = "https://w3id.org/diaba/example/register"


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> OxigraphStore:
    """Return what a register makes of the example, its standings among it; records are V3 unless they say more."""
    with closing(Register.create(tmp_path_factory.mktemp("register") / "data", pack=None)) as register:
        register.load([EXAMPLE], source=SOURCE)
        found = register.reader.graph.query("SELECT ?s ?p ?o ?g WHERE { GRAPH ?g { ?s ?p ?o } }")
        assert isinstance(found, ox.QuerySolutions)
        store = OxigraphStore()
        store.raw.extend(ox.Quad(*solution) for solution in found)
    return store


@pytest.fixture(scope="session")
def trig(example: OxigraphStore) -> bytes:
    """Return the whole example register as TriG."""
    written = ox.serialize(iter(example.raw), format=ox.RdfFormat.TRIG)
    assert written is not None
    return written


@pytest.fixture(scope="session")
def example_in_rdflib(example: OxigraphStore) -> rdflib.Dataset:
    """Return the example as rdflib holds it, read from N-Triples graph by graph."""
    dataset = rdflib.Dataset(default_union=True)
    for name in example.raw.named_graphs():
        quads = example.raw.quads_for_pattern(None, None, None, name)
        written = ox.serialize((quad.triple for quad in quads), format=ox.RdfFormat.N_TRIPLES)
        dataset.graph(rdflib.URIRef(name.value)).parse(data=written, format="nt")
    return dataset


@pytest.fixture(scope="session")
def example_server(trig: bytes) -> Iterator[str]:
    """Serve the example from an Oxigraph of its own and return the address of its SPARQL endpoint."""
    binary = shutil.which("oxigraph", path=str(Path(sys.executable).parent)) or shutil.which("oxigraph")
    assert binary, "the package oxigraph brings the server; make venv installs it"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [binary, "serve", "--bind", f"127.0.0.1:{port}", "--union-default-graph"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        load(address, trig, server)
        yield f"{address}/query"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def load(address: str, trig: bytes, server: subprocess.Popen[bytes]) -> None:
    """Send the register to the server as soon as it listens; give up after half a minute."""
    request = urllib.request.Request(
        f"{address}/store", data=trig, headers={"Content-Type": "application/trig"}, method="POST"
    )
    end = time.monotonic() + 30
    while True:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < end, "the server did not listen within half a minute"
            time.sleep(0.05)
