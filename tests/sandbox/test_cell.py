"""Hold that the engine's own reading decides what is a keyword, so that nothing it would run can hide."""

from __future__ import annotations

import random

import pyoxigraph as ox
import pytest

from graph.cell import keyword, refuse
from graph.errors import BadQuestion

#: an address that the engine refuses to call by itself, so that no test of what it calls reaches out
NOWHERE = "http://127.0.0.1:9/"
WORDS = [
    "SERVICE", "service", "SILENT", " ", "\n", "#>\n", f"<{NOWHERE}>", "?x", "?s ?p ?o", "{", "}", ".", ";",
    "FILTER(?x<?x)", "'SERVICE'", '"a"@service', "service:x", ":x", "SERVICE:x", "?service", "_:service", "OPTIONAL",
    "MINUS", "BIND(1 AS ?y)", f"VALUES ?x {{ <{NOWHERE}> }}", "<?x", "x:p", "|>", "1",
]  # fmt: skip
OPENINGS = ["", "".join(f"PREFIX {name}: <{NOWHERE}> " for name in ("service", "x", "", "SERVICE"))]


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX service: <x:> SELECT ?service ?Service { ?service service:service ?Service }",
        "SELECT * { ?s <http://a.org/service/SERVICE#service> 'SERVICE', \"\"\"SERVICE <x:y>\"\"\", 'x'@service }",
        "SELECT * { ?s ?p ?o } # SERVICE <x:y> { }",
        "PREFIX SERVICE: <x:> SELECT * { _:service SERVICE:SERVICE <x:%5Fservice> }",
        "SELECT * { ?s ?p '\\u0053ERVICE' }",
    ],
)
def test_a_name_a_text_or_a_comment_is_no_keyword(text: str) -> None:
    assert keyword(text, "SERVICE") is None
    refuse(text)


def test_from_is_told_from_the_names_that_hold_it() -> None:
    assert keyword("PREFIX d: <x:> SELECT ?from { ?from d:from 'from', <x:from> }", "FROM") is None
    assert keyword("SELECT * { ?s ?p '\\from', '\\u000from' }", "FROM") is None
    assert keyword("SELECT*FROM<x:y>{}", "FROM") == 7
    assert keyword("PREFIX from: <x:> SELECT * from from:from { }", "FROM") == 27


def test_no_gluing_of_words_hides_a_service_from_the_search() -> None:
    dice = random.Random(20261123)
    store = ox.Store()
    node = ox.NamedNode(NOWHERE)
    store.add(ox.Quad(node, ox.NamedNode("x:p"), node))
    called = 0

    def words(most: int) -> str:
        return "".join(dice.choice(WORDS) + dice.choice(["", " "]) for _ in range(dice.randint(0, most)))

    for _ in range(20_000):
        text = (
            f"{dice.choice(OPENINGS)}SELECT * {{{words(3)}{dice.choice(['', 'SERVICE', 'SERVICE ', 'x:SERVICE '])}"
            f"{dice.choice([f'<{NOWHERE}>', ':x', ' ?x', ''])}{dice.choice(['', '#>', ' '])}\n"
            f"{dice.choice(['{ ?s ?p ?o }', '{}', '?x ?y'])}{words(2)}}}"
        )
        try:
            refuse(text)
        except BadQuestion:
            continue
        try:
            list(store.query(text))  # type: ignore[arg-type]
        except (SyntaxError, ValueError):
            continue
        except (OSError, RuntimeError):
            called += 1
    assert not called


def test_the_dice_above_do_write_queries_that_would_be_called() -> None:
    store = ox.Store()
    for text in (f"ASK {{SERVICE#>\n<{NOWHERE}>{{}}}}", f"PREFIX : <{NOWHERE}> ASK {{ FILTER(1<2)SERVICE:x{{}} }}"):
        with pytest.raises(OSError, match="port 9"):
            store.query(text)
        with pytest.raises(BadQuestion, match="another service"):
            refuse(text)
