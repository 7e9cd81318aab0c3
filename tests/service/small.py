"""Make the small register that the terminal, the pages and the browser are tried on."""

from __future__ import annotations

from pathlib import Path

from graph.register import Register

HERE = Path(__file__).parent
SOURCE = "https://w3id.org/diaba/test"


def make_small(data: Path) -> Path:
    """Make a register at ``data`` without a pack, load ``small.ttl``, and return the directory."""
    with Register.create(data, pack=None) as register:
        register.load([HERE / "small.ttl"], source=SOURCE, message="the small register of the tests")
    return data
