"""Write small files to load: one dataset and who answers for it, in a source of its own."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = "https://example.org/"


def write_record(folder: Path, name: str, holder: str = "body", size: int = 1) -> Path:
    """Write a file of ``size`` datasets that ``holder`` answers for, and return it."""
    path = folder / f"{name}.ttl"
    lines = []
    for number in range(size):
        data = f"<{EXAMPLE}{name}/{number}>"
        lines += [
            f'{data} a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "{name} {number}"@en .',
            f"<{EXAMPLE}duty/{name}/{number}> a <https://w3id.org/diaba/ns#Responsibility> ;",
            f"  <https://w3id.org/diaba/ns#covers> {data} ; <https://w3id.org/diaba/ns#holder> <{EXAMPLE}{holder}> ;",
            "  <https://w3id.org/diaba/ns#role> <https://w3id.org/diaba/role/accountable> .",
        ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def source_of(name: str) -> str:
    return f"{EXAMPLE}source/{name}"
