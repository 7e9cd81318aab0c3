"""Hold the verb that writes the register out: what it prints, what it writes, what it tells beside."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graph import export, standards
from tests.cli.conftest import Run


def test_the_catalogue_is_printed_as_turtle(diaba: Run) -> None:
    done = diaba("export", "dcat", "--as-of", "2026-01-01")
    assert done.code == 0
    kinds = {quad.object for quad in ox.parse(done.out.encode(), format=ox.RdfFormat.TURTLE)}
    assert ox.NamedNode(standards.DCAT + "Catalog") in kinds
    assert "2026-01-01" in done.out


@pytest.mark.parametrize("profile", ["dcat", "cpov"])
@pytest.mark.parametrize("name", sorted(export.FORMATS))
def test_the_end_of_the_file_chooses_the_format(diaba: Run, tmp_path: Path, profile: str, name: str) -> None:
    file = tmp_path / f"out.{name}"
    done = diaba("export", profile, "-o", str(file), "--json")
    assert done.code == 0
    assert done.json["statements"] == len(set(ox.parse(path=file, format=export.FORMATS[name]))) > 20


def test_what_is_written_otherwise_is_told(diaba: Run, tmp_path: Path) -> None:
    done = diaba("export", "dcat", "-o", str(tmp_path / "out.ttl"))
    assert "resources have no description" in done.err
    assert "statements to" in done.out


def test_a_file_that_cannot_be_written_leaves_nothing(diaba: Run, tmp_path: Path) -> None:
    done = diaba("export", "dcat", "-o", str(tmp_path / "missing" / "out.ttl"))
    assert done.code == 4
    assert not list(tmp_path.iterdir())


def test_a_body_can_publish_the_catalogue(diaba: Run) -> None:
    done = diaba("export", "dcat", "--publisher", "https://w3id.org/diaba/test/moh", "--format", "nt")
    assert f"<{export.CATALOGUE}> <{standards.DCT}publisher> <https://w3id.org/diaba/test/moh> ." in done.out
    assert diaba("export", "cpov", "--publisher", "https://w3id.org/diaba/test/moh").code == 2


def test_bad_days_and_profiles_are_usage(diaba: Run) -> None:
    assert diaba("export", "dcat", "--as-of", "yesterday").code == 2
    assert diaba("export", "void").code == 2
