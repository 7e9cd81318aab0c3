"""Shapes that cannot be run, or that ask for too much: each is told by name and place, or stopped by its limit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checking import Checker
from graph.errors import ShapeFault
from graph.judging import Limits, is_limited, limited
from graph.shacl.reading import read_shapes
from graph.store import OxigraphStore

HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix e: <https://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
e:names sh:declare [ sh:prefix "e" ; sh:namespace "https://example.org/"^^xsd:anyURI ] .

"""
DAY = date(2026, 1, 1)


def file_with(folder: Path, shape: str) -> Path:
    path = folder / "shapes.ttl"
    path.write_text(HEAD + shape, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("shape", "words", "line", "column"),
    [
        ("e:s a sh:NodeShape ; sh:targetClass e:T ;\n  sh:mimCount 1 .", "sh:mimCount is not known", 6, None),
        ("e:s a sh:NodeShape ; sh:targetClass e:T ;\n  sh:node e:t .\ne:t a sh:NodeShape ; sh:node e:s .",
         "refers to itself", 6, None),
        ("e:s a sh:NodeShape ; sh:targetClass e:T ;\n  sh:sparql [ sh:prefixes e:names ;\n"
         '    sh:select """SELECT $this WHERE {\n      $this e:p ?x .\n      FILTER (?x > 1\n    }""" ] .',
         "no SPARQL", 11, None),
        ("e:s a sh:NodeShape ; sh:targetClass e:T ;\n  sh:sparql [ sh:prefixes e:names ;\n"
         '    sh:select """SELECT $this WHERE {\n      $this e:p ?x ; f:q ?y .\n    }""" ] .',
         "prefix f: is not declared", 9, 22),
        ('e:s a sh:NodeShape ; sh:targetClass e:T ; sh:sparql [ sh:select "SELECT $this { ?a ?b $this MINUS {} }" ] .',
         "MINUS", 6, 93),
        ("e:s a sh:NodeShape ; sh:targetClass e:T ;\n  sh:sparql [ sh:prefixes e:names ;\n"
         '    sh:select """SELECT $this WHERE { $this e:p ?x\n      FILTER REGEX (?x, "^(?=a)") }""" ] .',
         "regular expression", 9, 25),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_told_with_its_shape_and_place(
    tmp_path: Path, shape: str, words: str, line: int, column: int | None
) -> None:
    with pytest.raises(ShapeFault, match=words) as caught:
        list(Checker(read_shapes([file_with(tmp_path, shape)])).check(OxigraphStore(), DAY))
    fault = caught.value
    assert "https://example.org/s" in fault.message
    assert fault.remedy
    assert fault.place is not None
    assert fault.place.file.endswith("shapes.ttl")
    assert fault.place.line == line
    if column is not None:
        assert fault.place.column == column


@pytest.mark.parametrize(
    "constraint",
    [
        'sh:pattern "^(a+)+$"',
        'sh:sparql [ sh:select "SELECT $this { ?a ?b $this FILTER (!REGEX(STR($this), \'^(a+)+$\')) }" ]',
    ],
)  # fmt: skip
def test_a_regular_expression_that_explodes_elsewhere_takes_no_time(tmp_path: Path, constraint: str) -> None:
    store = OxigraphStore()
    store.raw.add(ox.Quad(ox.NamedNode("e:x"), ox.NamedNode("e:p"), ox.Literal("a" * 20_000 + "b")))
    shapes = read_shapes([file_with(tmp_path, f"e:s a sh:NodeShape ; sh:targetObjectsOf <e:p> ; {constraint} .")])
    begun = time.monotonic()
    assert len(list(Checker(shapes).check(store, DAY))) == 1
    assert time.monotonic() - begun < 5


def test_a_shape_that_targets_everything_is_checked(tmp_path: Path) -> None:
    store = OxigraphStore()
    store.raw.bulk_extend(
        ox.Quad(ox.NamedNode(f"e:{number}"), ox.NamedNode("e:p"), ox.NamedNode(f"e:{number + 1}"))
        for number in range(3000)
    )
    shape = (
        "e:s a sh:NodeShape ; sh:targetSubjectsOf <e:p> ; sh:targetObjectsOf <e:p> ; "
        'sh:sparql [ sh:select "SELECT $this { ?x ?y $this FILTER NOT EXISTS { $this ?p ?o } }" ] .'
    )
    found = list(Checker(read_shapes([file_with(tmp_path, shape)])).check(store, DAY))
    assert [one.focus for one in found] == [ox.NamedNode("e:3000")]


#: joins everything with everything: to compare it, and to keep it
LONG = "(COUNT(*) AS ?n) WHERE { $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER (STR(?a) < STR(?d) && ?f < ?i) }"
LARGE = "(GROUP_CONCAT(STR(?a)) AS ?n) WHERE { $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
AGENCY = "<https://w3id.org/diaba/ns#Agency>"


@pytest.mark.parametrize(
    ("counted", "limits", "said"),
    [(LONG, Limits(seconds=8.0), "8 s"), (LARGE, Limits(seconds=240.0, memory=400 << 20), "400 MiB")],
)
def test_a_check_that_explodes_is_stopped_by_its_limit(
    tmp_path: Path, counted: str, limits: Limits, said: str
) -> None:
    data = tmp_path / "data.ttl"
    data.write_text(f"<https://example.org/a> a {AGENCY} .", encoding="utf-8")
    shape = (
        f"e:s a sh:NodeShape ; sh:targetClass {AGENCY} ; sh:message 'no'@en ; sh:sparql [ sh:select "
        f"'SELECT $this {{ $this a {AGENCY} FILTER (?n != 1) {{ SELECT $this {counted} GROUP BY $this }} }}' ] ."
    )
    with pytest.raises(ShapeFault, match=f"stopped at its limit of {said}") as caught:
        limited("service", ["check", str(data), "--shapes", str(file_with(tmp_path, shape))], limits)
    assert caught.value.remedy


def test_a_limited_process_gives_what_the_module_gives(tmp_path: Path) -> None:
    script = "from graph.judging import limited; print(limited('json.tool', ['--help'])[0])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=tmp_path, text=True)
    assert "usage" in done.stdout
    assert done.stdout.endswith("\n0\n")
    assert not is_limited()


def test_a_limited_process_ends_with_the_one_that_made_it() -> None:
    script = (
        "import os, subprocess, sys; "
        "line = ['-m', 'graph.judging', str(os.getpid()), str(1 << 32), 'http.server', '0']; "
        "child = subprocess.Popen([sys.executable, *line], stderr=subprocess.DEVNULL); "
        "print(child.pid, flush=True); import time; time.sleep(3); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, cwd=Path(__file__).parents[2], timeout=60
    )
    child = int(done.stdout.split()[0])
    for _ in range(50):
        if not Path(f"/proc/{child}").exists() or " Z" in Path(f"/proc/{child}/stat").read_text():
            break
        time.sleep(0.1)
    else:
        os.kill(child, 9)
        pytest.fail("it goes on")
