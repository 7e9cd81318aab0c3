"""Read the settings of a process once, from ``DIABA_*`` and the command line, and refuse what cannot work.

Arguments win over the environment, the environment over the defaults. Every setting is described in
``service/docs/settings.md``; a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from graph.addresses import name_of
from graph.errors import BadSetting, Place

#: languages the catalogue of words is complete in
LANGUAGES = ("vi", "en")

#: most processes that answer: each takes its own memory
MOST_WORKERS = 64

#: setting -> variable of the environment
VARIABLES = {
    "data": "DIABA_DATA",
    "store": "DIABA_STORE",
    "host": "DIABA_HOST",
    "port": "DIABA_PORT",
    "base_path": "DIABA_BASE_PATH",
    "language": "DIABA_LANG",
    "workers": "DIABA_WORKERS",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold what a process needs to know before it starts.

    ``data`` is the data directory; ``store`` says where the graph is kept ("": there); ``host`` and ``port`` are where
    the service listens; ``base_path`` is the prefix under which a proxy publishes it ("" or "/diaba"); ``language`` is
    what pages use when the reader asks for none; ``workers`` is how many processes answer.
    """

    data: Path = Path("data")
    store: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    base_path: str = ""
    language: str = "vi"
    workers: int = 1

    @classmethod
    def read(cls, environment: Mapping[str, str], **arguments: Any) -> Settings:
        """Return the settings for these arguments (``None`` means not given), else the environment's, else defaults.

        Raises ``BadSetting`` with the name of the variable or option that is wrong.
        """
        found: dict[str, Any] = {}
        for name in (field.name for field in fields(cls)):
            given = arguments.get(name)
            if given is not None:
                found[name] = _check(name, str(given), "--" + name.replace("_", "-"))
            elif environment.get(VARIABLES[name], "") != "":
                found[name] = _check(name, environment[VARIABLES[name]], VARIABLES[name])
        return cls(**found)


def _check(name: str, text: str, where: str) -> Any:
    """Return the value of one setting, or say what is wrong with it and where it was given."""
    place = Place(where)
    if name == "data":
        path = Path(text).expanduser()
        if os.path.exists(path) and not path.is_dir():  # of a folder that may not be entered, the opening tells
            raise BadSetting(f"'{text}' is a file, not a folder", remedy="Name a data directory.", place=place)
        return path
    if name == "store":
        name_of(text)
        return text.strip()
    if name == "port":
        if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
            raise BadSetting(f"'{text}' is no port", remedy="Give a number from 0 to 65535.", place=place)
        return int(text)
    if name == "workers":
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_WORKERS:
            raise BadSetting(
                f"'{text}' is no number of workers", remedy=f"Give a number from 1 to {MOST_WORKERS}.", place=place
            )
        return int(text)
    if name == "base_path":
        path_text = text.rstrip("/")
        if path_text and (not path_text.startswith("/") or any(mark in path_text for mark in "?#\"'<> ")):
            raise BadSetting(f"'{text}' is no path", remedy="Write it like /diaba.", place=place)
        return path_text
    if name == "language":
        if text not in LANGUAGES:
            raise BadSetting(
                f"'{text}' is no language of the register", remedy=f"Choose {' or '.join(LANGUAGES)}.", place=place
            )
        return text
    if not text.strip():
        raise BadSetting("the host is empty", remedy="Give an address such as 127.0.0.1.", place=place)
    return text
