"""Open the register: one data directory with its journal, the projections that follow it, and the pack it was made of.

``register.json`` says format, pack and ontology; ``journal.sqlite`` and ``payloads/`` are the truth; ``graph/``,
``history/`` and ``search/`` are made from them and can be made again. One process at a time holds the directory.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Self, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pyoxigraph as ox

from graph import deriving
from graph.addresses import name_of
from graph.checkpoints import Checkpoints, Part, Room, backup_of, links_of
from graph.directory import (
    FORMAT,
    LOCK,
    Passport,
    move,
    read_passport,
    remove,
    take_lock,
    unusable,
    workshop_of,
    write_passport,
)
from graph.errors import BadSetting, DataDirectory, Fault, Place, StoreFault
from graph.files import Input, Progress, input_of, open_inputs
from graph.journal import Entry, Journal, Section, write_instant
from graph.loading import Loading
from graph.pack import Pack, read_pack
from graph.parts import Home, finish_swap, make_anew, open_parts
from graph.projections import AT_ONCE, Projection, SearchProjection, follow
from graph.remote import RemoteStore, open_store
from graph.resources import folder
from graph.search import SearchIndex
from graph.sources import Declaration, LoadReport, Parcel, SourceReport
from graph.store import OxigraphStore, Reader
from graph.terms import BASE, RDF, Confidence
from graph.upgrades import upgrade

ONTOLOGY: Final = BASE + "ns"
"""The source that says what the words mean."""

CARRIED: Final = BASE + "journal"
"""What stands as the source of a change that only keeps what a redaction would take along."""

CHECKPOINTS: Final = "checkpoints"
"""The folder of the data directory that holds checkpoints."""

_CONFIDENCES: Final = {
    iri.removeprefix(Confidence.NS): iri
    for iri in (Confidence.V1, Confidence.V2, Confidence.V3, Confidence.V3_MOCK, Confidence.R)
}


class RegisterReader:
    """Read the register: what it says now, what it said before, and where to find things by words.

    ``behind`` says what keeps it from showing the last accepted changes, ``None`` where it shows them all.
    """

    def __init__(
        self, graph: Reader, history: Reader, search: SearchIndex, pack: Pack, behind: Fault | None = None
    ) -> None:
        self.behind = behind
        self.graph = graph
        self.history = history
        self.search = search
        self.pack = pack

    @property
    def revision(self) -> int:
        """Return the number of the last change that the answers rest on."""
        return self.graph.revision


class Gateway:
    """Change the register: the narrow writing side that an app is handed instead of stores and journal."""

    def __init__(self, register: Register) -> None:
        self._register = register

    @property
    def revision(self) -> int:
        """Return the number of the last accepted change."""
        return self._register.revision

    def load(
        self,
        files: Iterable[str | Path] | str | Path,
        source: str | None = None,
        confidence: str | None = None,
        partial: bool = False,
        message: str = "",
        who: str | None = None,
    ) -> LoadReport:
        """Load files as ``Register.load`` does."""
        return self._register.load(files, source, confidence, partial, message=message, who=who)


class Register:
    """Hold one data directory open for writing; see ``create`` and ``open``."""

    def __init__(
        self,
        data: Path,
        passport: Passport,
        lock: IO[str],
        progress: Progress | None = None,
        *,
        home: Home | None = None,
        behind: bool = False,
    ) -> None:
        self.data = data
        self._home = home or Home()
        self.passport = passport
        self.pack = pack_of(passport.pack)
        self.puts_off_findings = False
        """Whether a change leaves what the rules find to ``find``; a process that stays, and lets others in between."""
        self._lock = lock
        self._writing = threading.RLock()
        self.journal = Journal(data)
        try:
            self.journal.sweep()
            self._parts = open_parts(data, self.journal, self.pack, self._home)
        except BaseException:
            self.journal.close()
            raise
        self.reader = RegisterReader(self._parts.graph, self._parts.history, self._parts.search, self.pack)
        self.gateway = Gateway(self)
        try:
            try:
                self._follow(progress)
            except (StoreFault, OSError, sqlite3.Error) as fault:
                if not behind or not self._whole:
                    raise
                self.reader.behind = self._lagging(fault)
        except BaseException:
            self._close_parts()
            raise

    # --- life -----------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, data: Path | str, *, pack: str | None = "vn", store: str = "", progress: Progress | None = None
    ) -> Self:
        """Make a data directory with the ontology and a pack (``None``: no pack) in it, and open it.

        It is built beside its place and moved there when it is whole: whoever is killed on the way leaves nothing that
        stands in the way. Its graph is put into ``store``, which must be empty, in the end. Raises ``DataDirectory``
        where something is there already.
        """
        data = Path(data).absolute()
        if data.exists() and (not data.is_dir() or any(path.name != workshop_of(data).name for path in data.iterdir())):
            raise DataDirectory(
                "There is something here already", remedy="Choose an empty or a new directory.", place=Place(str(data))
            )
        need_free(store)
        workshop = workshop_of(data)
        lock: IO[str] | None = None
        try:
            workshop.mkdir(parents=True, exist_ok=True)
            lock = take_lock(workshop)
            for left in workshop.iterdir():
                if left.name != LOCK:
                    remove(left)
            passport = Passport(FORMAT, write_instant(datetime.now(UTC)), pack)
            register = cls(workshop, passport, lock)
            try:
                register._load_own(progress)
                register.passport = register._write_passport()
            finally:
                register._close_parts()
            move(workshop, data)
        except OSError as fault:
            raise DataDirectory(
                f"The data directory cannot be made: {fault.strerror or fault}",
                remedy="Check the path, your rights and the room on the disk.", place=Place(str(data)),
            ) from fault  # fmt: skip
        finally:
            if lock is not None:
                lock.close()
        return cls.open(data, rebuild=bool(store), store=store, progress=progress)

    @classmethod
    def open(
        cls,
        data: Path | str,
        *,
        store: str = "",
        rebuild: bool = False,
        behind: bool = False,
        progress: Progress | None = None,
    ) -> Self:
        """Open a data directory; bring projections, ontology and pack up to date.

        ``store`` is the setting that says where the graph is kept, as it was when it was put there. ``rebuild`` makes
        the projections anew first, whatever state they are in, and puts the graph into ``store``. ``behind`` is for who
        only reads: where accepted changes cannot be followed, as on a full disk, it opens as it was before them.
        Raises ``DataDirectory`` where it is no data directory, of another format, held by another process or damaged.
        """
        data = Path(data).absolute()
        try:
            read_passport(data)  # no lock is left in what is no data directory
            lock = take_lock(data)
        except OSError as fault:
            raise unusable(data, fault) from fault
        try:
            if (data / "journal.sqlite").exists():
                Journal(data, read_only=True).close()  # one of a later format is refused before anything is altered
            upgrade(data)
            passport = read_passport(data)
            finish_swap(data)
            deriving.sweep(data)
            if rebuild:
                passport = _rebuild(data, passport, store, progress)
            home = home_of(data, passport, store)
            if home.setting:
                remove(data / "graph")  # what is left of when it was kept here
            register = cls(data, passport, lock, progress, home=home, behind=behind)
        except OSError as fault:
            lock.close()
            raise unusable(data, fault) from fault
        except BaseException:
            lock.close()
            raise
        try:
            if register.reader.behind is None:
                register._upgrade(progress)
        except BaseException:
            register.close()
            raise
        return register

    def close(self) -> None:
        """Give the directory up."""
        self._close_parts()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def revision(self) -> int:
        """Return the number of the last accepted change, 0 for none."""
        return self.journal.revision

    @property
    def settled(self) -> bool:
        """Tell whether every part holds every accepted change: a change in the midst, or one cut short, is not.

        What the rules find may come after it; see ``found``.
        """
        return self._parts.made and {one.revision for one in self._prompt} == {self.journal.revision}

    @property
    def found(self) -> bool:
        """Tell whether the findings hold every accepted change."""
        return all(one.revision == self.journal.revision for one in self._projections)

    def find(self, interrupted: Callable[[], bool] = lambda: False, progress: Progress | None = None) -> bool:
        """Bring the findings up to the other parts; return whether that is done, or was put off for others.

        ``interrupted`` is asked between two rules, where all must be found anew.
        """
        with self._writing:
            self._follow(progress, late=False)
            findings = self._parts.findings
            return findings.revision == self.journal.revision or findings.advance(progress, interrupted)

    @property
    def usable(self) -> bool:
        """Tell whether the parts are open: they are, but after a rebuild that could not open what it left."""
        return not self._parts.closed

    def reached(self) -> dict[str, int]:
        """Return how far each part has followed, by its name; nothing of those that are not open or do not answer."""
        with suppress(StoreFault):
            return {one.name: one.revision for one in self._projections}
        return {}

    def settle(self, progress: Progress | None = None) -> None:
        """Bring every part up to the journal, where a change was accepted and could not be followed."""
        with self._writing:
            self._follow(progress, late=not self.puts_off_findings)

    def checkpoints(self, room: Room | None = None) -> Checkpoints:
        """Return what takes checkpoints of graph, history and search, whichever are open at the time."""
        parts: dict[str, Part] = {
            "history": lambda target: backup_of(self._parts.history)(target),
            "search": links_of(self.data / "search"),
        }
        if not self._home.setting:  # a service has none: who reads asks it itself
            parts["graph"] = lambda target: backup_of(cast(OxigraphStore, self._parts.graph))(target)
        return Checkpoints(self.data / CHECKPOINTS, self.reader, parts, room=room)

    # --- writing --------------------------------------------------------------------------------------------------

    def load(
        self,
        files: Iterable[str | Path] | str | Path,
        source: str | None = None,
        confidence: str | None = None,
        partial: bool = False,
        history: bool = False,
        mapping: str | Path | None = None,
        message: str = "",
        who: str | None = None,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Load files, directories and addresses: every source in them is stated anew, all of them or none.

        ``source`` makes one source of all files, otherwise each is its own under its address; ``confidence`` is a mark
        such as ``V2``; ``partial`` adds and never withdraws; ``history`` takes recorded times and versions from the
        files; ``mapping`` turns tables and foreign RDF into our words. When this returns, the change is on disk.
        Raises ``Malformed``, ``Unreadable`` or ``ForeignGraph`` with the place; then nothing has changed.
        """
        targets = [files] if isinstance(files, str | Path) else list(files)
        declaration = Declaration(_confidence(confidence))
        with open_inputs(targets, Path(mapping) if mapping else None) as found:
            inputs = list(dict.fromkeys(one for group in found for one in group))
            if source is not None:
                parcels = [Parcel(source, tuple(inputs), declaration)]
            else:
                by_address: dict[str, list[Input]] = {}
                for one in inputs:
                    by_address.setdefault(one.address, []).append(one)
                parcels = [Parcel(address, tuple(group), declaration) for address, group in by_address.items()]
            return self._accept(parcels, message, who, partial=partial, history=history, progress=progress)

    @property
    def still(self) -> threading.RLock:
        """Hold this to look at the register and change it with nothing in between."""
        return self._writing

    def state(
        self, parcel: Parcel, message: str, who: str | None = None, progress: Progress | None = None
    ) -> LoadReport:
        """Take in one source as it is described, with what is declared of it; without a file it falls silent."""
        return self._accept([parcel], message, who, progress=progress)

    def carry_over(self, removed: Sequence[ox.Quad], added: Sequence[ox.Quad], who: str, message: str) -> None:
        """State again what a redaction would take along: a change of the register's own, in no source's name."""
        if not removed and not added:
            return
        with self._writing:
            with self.journal.draft() as draft:
                for section, quads in (("removed", removed), ("added", added), ("versions", ())):
                    draft.begin(cast(Section, section))
                    draft.write("".join(f"{quad} .\n" for quad in quads).encode())
                entry = Entry(draft.seal(), who, CARRIED, message, len(removed), len(added), 0)
            self.journal.append([entry], self.journal.next_instant())
            self._follow(None)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Make graph, history, standings and search index anew from the journal, beside the live ones, and swap.

        A graph that is kept in a service is dropped first, and who reads it is told to wait.

        Where they cannot be put in place, what stands there is open again, and ``StoreFault`` says so; where not even
        that can be opened, the next change or ``settle`` tries again.
        """
        with self._writing:
            graph = self._parts.graph if isinstance(self._parts.graph, RemoteStore) else None
            if graph is not None:
                graph.make_anew()
            make_anew(self.data, self.journal, self.pack, progress, graph)
            self._parts.close()
            self._open_again()
            self._follow(progress)

    def forget_findings(self) -> None:
        """Drop from the ledger what was resolved about things that the register no longer speaks of."""
        with self._writing:
            about = self.journal.ledger.resolved_about()
            known = {quad.subject.value for quad in self._parts.graph.outgoing(sorted(about), (RDF.type,))}  # type: ignore[union-attr]
            self.journal.ledger.forget(about - known)

    def _accept(
        self,
        parcels: Sequence[Parcel],
        message: str,
        who: str | None = None,
        *,
        partial: bool = False,
        history: bool = False,
        own: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        with self._writing:
            late = not self.puts_off_findings
            # where a change could not be followed, as on a full disk, the next is staged on it
            self._follow(progress, late=late)
            at = self.journal.next_instant()
            loading = Loading(
                self._parts.graph, self._parts.history, self.journal, at, partial=partial, with_history=history,
                own=None if own else self.passport.sources, listening=self._indexing.begin, progress=progress,
            )  # fmt: skip
            try:
                staged = loading.stage(parcels)
                author = who or _user()
                entries = [entry for one in staged if (entry := one.entry(author, message)) is not None]
                numbers = iter([change.number for change in self.journal.append(entries, at)] if entries else [])
            except BaseException:
                self._indexing.end()
                self.journal.sweep()
                raise
            reports: list[SourceReport] = [
                one.report(None if one.payload is None else next(numbers)) for one in staged
            ]
            self._follow(progress, late=late)
            return LoadReport(tuple(reports), self.journal.revision)

    # --- the parts ------------------------------------------------------------------------------------------------

    @property
    def _projections(self) -> list[Projection]:
        return self._parts.projections

    @property
    def _indexing(self) -> SearchProjection:
        return next(one for one in self._projections if isinstance(one, SearchProjection))

    def _open_again(self) -> None:
        """Put in place what was rebuilt, and open what stands there, whether that went well or not."""
        try:
            finish_swap(self.data)
        except OSError as fault:
            raise StoreFault(
                f"What was made anew could not be put in its place: {fault.strerror or fault}",
                remedy="Look for a full or failing disk, then run diaba rebuild again.", place=Place(str(self.data)),
            ) from fault  # fmt: skip
        finally:
            self._parts = parts = open_parts(self.data, self.journal, self.pack, self._home)
            self.reader.graph, self.reader.history, self.reader.search = parts.graph, parts.history, parts.search

    @property
    def _prompt(self) -> list[Projection]:
        return [one for one in self._projections if one is not self._parts.findings]

    def _follow(self, progress: Progress | None, *, late: bool = True) -> None:
        if self._parts.closed:
            self._open_again()
        for projection in self._projections:
            if projection.revision > self.journal.revision:
                raise DataDirectory(
                    f"The {projection.name} is ahead of the journal ({projection.revision} of {self.journal.revision})",
                    remedy="Run diaba rebuild.", place=Place(str(self.data)),
                )  # fmt: skip
        follow(self._projections if late else self._prompt, self.journal, progress)
        self._parts.finish()

    @property
    def _whole(self) -> bool:
        """Tell whether what answers rest on is of one revision, with no part of a later change in it.

        Large changes go in by pieces; search and standings may lag, as no card rests on them. Of a service that takes
        no change it is not known.
        """
        if self._home.setting:
            return False
        revisions = {one.revision for one in self._projections if one.name in ("graph", "history", "scopes")}
        pending = self.journal.changes(min(revisions))
        small = all(change.removed + change.added <= AT_ONCE and change.versions <= AT_ONCE for change in pending)
        return len(revisions) == 1 and 0 not in revisions and small

    def _lagging(self, fault: StoreFault | OSError | sqlite3.Error) -> StoreFault:
        reason = fault.message if isinstance(fault, StoreFault) else str(fault)
        return StoreFault(
            f"Change {self.journal.revision} is recorded but cannot be shown yet, and this is the register as after"
            f" change {self._parts.graph.revision}: {reason}",
            remedy="Look for a full or failing disk.", place=Place(str(self.data)),
        )  # fmt: skip

    def _close_parts(self) -> None:
        self._parts.close()
        self.journal.close()

    # --- ontology and pack ----------------------------------------------------------------------------------------

    def _load_own(self, progress: Progress | None) -> LoadReport:
        """Load the ontology and the pack as any other source; what an older version brought falls silent."""
        parcels = [_ontology_parcel(), *_pack_parcels(self.pack)]
        sources = {parcel.source for parcel in parcels}
        parcels += [Parcel(source, ()) for source in self.passport.sources if source not in sources]
        name = f"pack {self.pack.name} {self.pack.version}" if self.passport.pack else "ontology"
        return self._accept(parcels, f"Load the {name}", "diaba", own=True, progress=progress)

    def _upgrade(self, progress: Progress | None) -> None:
        passport = self.passport
        version = self.pack.version if passport.pack else ""
        if _is_older(version, passport.pack_version):
            raise DataDirectory(
                f"The data were made with version {passport.pack_version} of the pack {passport.pack},"
                f" and here is version {version}",
                remedy="Install the newer version of diaba again.", place=Place(str(self.data)),
            )  # fmt: skip
        if version == passport.pack_version and _ontology_digest() == passport.ontology:
            return
        self._load_own(progress)
        self.passport = self._write_passport()

    def _write_passport(self) -> Passport:
        parts = [part.source for part in self.pack.parts] if self.passport.pack else []
        passport = replace(
            self.passport, format=FORMAT, pack_version=self.pack.version if self.passport.pack else "",
            ontology=_ontology_digest(), sources=(ONTOLOGY, *parts),
        )  # fmt: skip
        write_passport(self.data, passport)
        return passport


def pack_of(name: str | None) -> Pack:
    """Return the installed pack of this name; ``None`` gives one without parts, in UTC and English."""
    home = folder("ontology")
    if name is None:
        return Pack(home, "", "", {}, ZoneInfo("UTC"), ("en", "vi"), ())
    if not name.isidentifier():
        raise BadSetting(f"There is no pack named {name}", remedy="Name one that is installed, such as vn.")
    return read_pack(home / name)


def home_of(data: Path, passport: Passport, setting: str) -> Home:
    """Return where the graph of a data directory is kept; raise ``DataDirectory`` where the setting says another place.
    """
    name = name_of(setting)
    if name != passport.store:
        here = "the data directory itself"
        remedy = f"Set DIABA_STORE to {passport.store}" if passport.store else "Unset DIABA_STORE"
        raise DataDirectory(
            f"The graph of this register is kept in {passport.store or here}, and DIABA_STORE says {name or here}",
            remedy=f"{remedy}, or move the graph there with diaba rebuild.", place=Place(str(data)),
        )  # fmt: skip
    return Home(setting, passport.created, passport.making) if name else Home()


def need_free(setting: str) -> None:
    """Raise ``StoreFault`` unless the store of the setting, if it means one, holds nothing."""
    if setting:
        open_store(setting, register="nobody", making="yet").close()


def pack_in(data: Path) -> Pack:
    """Return the pack that a data directory was made of; raise ``DataDirectory`` where it is none."""
    return pack_of(read_passport(data).pack)


# --- making projections anew --------------------------------------------------------------------------------------


def _rebuild(data: Path, passport: Passport, setting: str, progress: Progress | None) -> Passport:
    """Make the projections anew, with the graph where the setting says, and return the passport that says so too.

    Whoever is killed on the way leaves a directory that follows the store that it followed, or that is told to be
    rebuilt, or that goes on from there.
    """
    pack, name = pack_of(passport.pack), name_of(setting)
    with ExitStack() as opened:
        journal = opened.enter_context(closing(Journal(data)))
        if name:
            moved = replace(passport, store=name, making=uuid4().hex)
            graph = opened.enter_context(closing(open_store(setting)))
            graph.take_over(moved.created, moved.making)
            write_passport(data, moved)
            make_anew(data, journal, pack, progress, graph)
        else:
            moved = replace(passport, store="", making="")
            make_anew(data, journal, pack, progress)
            if moved != passport:
                write_passport(data, moved)
    finish_swap(data)
    return moved


# --- what is loaded from the code's own folders -------------------------------------------------------------------


def _ontology_files() -> Iterator[Path]:
    yield from sorted(folder("ontology").glob("*.ttl"))


def _ontology_digest() -> str:
    digest = hashlib.sha256()
    for path in _ontology_files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _ontology_parcel() -> Parcel:
    inputs = tuple(input_of(path) for path in _ontology_files())
    declaration = Declaration(Confidence.V1, {"en": "The Diaba ontology", "vi": "Bộ từ vựng Địa bạ"})
    return Parcel(ONTOLOGY, inputs, declaration)


def _pack_parcels(pack: Pack) -> Iterator[Parcel]:
    for part in pack.parts:
        declaration = Declaration(part.confidence, part.title, part.licence)
        yield Parcel(part.source, (input_of(part.file, part.mapping),), declaration)


def _confidence(mark: str | None) -> str | None:
    if mark is None:
        return None
    iri = _CONFIDENCES.get(mark.removeprefix(Confidence.NS))
    if iri is None:
        raise BadSetting(
            f"There is no confidence {mark}", remedy=f"Use one of {', '.join(sorted(_CONFIDENCES))}."
        )
    return iri


def _is_older(here: str, there: str) -> bool:
    """Tell whether version ``here`` lies before ``there``; parts are compared as numbers where they are numbers."""

    def key(version: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (0, part) for part in version.split(".")]

    return key(here) < key(there)


def _user() -> str:
    """Return the name of who runs this process, or the number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
