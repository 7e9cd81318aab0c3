"""A fault that only shows in what a mapping made is told with the row it came out of."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import Malformed, Place
from graph.register import Register
from tests.loading.conftest import SOURCE, state_of

MAPPING = """\
# problem: A register lists duties with their days.
# solution: One row is one responsibility.
PREFIX col: <https://w3id.org/diaba/column#>
PREFIX d: <https://w3id.org/diaba/ns#>
PREFIX f: <https://w3id.org/diaba/function#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
CONSTRUCT {
  ?duty a d:Responsibility ; d:covers ?what ; d:holder ?who ; d:role <https://w3id.org/diaba/role/accountable> ;
    d:from ?from ; d:until ?until .
}
WHERE {
  ?row col:what ?slug ; col:who ?whoSlug ; col:from ?fromText ; col:until ?untilText .
  BIND(IRI(CONCAT("https://example.org/duty/", ?slug)) AS ?duty)
  BIND(IRI(CONCAT("https://example.org/", ?slug)) AS ?what)
  BIND(IRI(CONCAT("https://example.org/", ?whoSlug)) AS ?who)
  BIND(STRDT(?fromText, xsd:date) AS ?from)
  BIND(STRDT(?untilText, xsd:date) AS ?until)
}
"""
ROWS = ["what,who,from,until"] + [f"wells{n},moh,2025-01-01,2026-01-01" for n in range(40)]


@pytest.mark.parametrize("row", [1, 17, 40])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("streams,moh,2025-03-01,2025-01-01", "before it starts"),
        ("streams,moh,2025-02-30,2026-01-01", "2025-02-30"),
        ("X>Y,moh,2025-01-01,2026-01-01", "X>Y"),
    ],
)
def test_a_bad_row_is_named_by_its_line(register: Register, tmp_path: Path, row: int, bad: str, words: str) -> None:
    table, rules = tmp_path / "duties.csv", tmp_path / "duties.rq"
    table.write_text("\n".join([*ROWS[:row], bad, *ROWS[row:]]) + "\n")
    rules.write_text(MAPPING)
    before = state_of(register)
    with pytest.raises(Malformed) as told:
        register.load([table], source=SOURCE, mapping=rules)
    assert words in told.value.message
    assert told.value.place == Place(str(table), row + 1)
    assert state_of(register) == before
