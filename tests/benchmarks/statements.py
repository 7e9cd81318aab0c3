"""Write the generated register as N-Quads: what each structure says, one line per quad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graph.terms import BASE, DCAT, DCT, RDF, SKOS, SKOSXL, XSD, Confidence, D, Level, Role

from .datasets import RECORDED, SERIES_SIZE, WIDER_SIZE, Dataset, Flow, Plans, Transfer
from .world import NS, Area, Body, Claim, Series, World

_EMAIL: Final = "http://www.w3.org/2006/vcard/ns#hasEmail"
_DISTRIBUTION: Final = DCAT.NS + "distribution"
_LEVELS: Final = {
    "central": Level.central, "province": Level.province, "district": Level.district, "commune": Level.commune,
}  # fmt: skip
_KINDS: Final = {
    "government": ("Chính phủ", "central"),
    "ministry": ("Bộ", "central"),
    "bureau": ("Cục", "central"),
    "department": ("Sở", "province"),
    "province-committee": ("Ủy ban nhân dân tỉnh", "province"),
    "district-committee": ("Ủy ban nhân dân huyện", "district"),
    "commune-committee": ("Ủy ban nhân dân xã", "commune"),
    "outside": ("Tổ chức ngoài bộ máy", "central"),
}


def _is(term: str) -> str:
    return f" <{RDF.type}> <{term}>"


def _p(term: str) -> str:
    return f" <{term}> "


_RESPONSIBILITY, _TRANSFER, _FLOW = _is(D.Responsibility), _is(D.Transfer), _is(D.Flow)
_HOLDER, _KIND, _ROLE, _COVERS = _p(D.holder), _p(D.holderKind), _p(D.role), _p(D.covers)
_MEMBERS, _FIELD, _AREA, _EXCLUDES = _p(D.coversMembersOf), _p(D.field), _p(D.area), _p(D.excludes)
_BASIS, _FROM, _UNTIL, _CONFIDENCE, _SOURCE = _p(D.basis), _p(D.from_), _p(D.until), _p(D.confidence), _p(D.source)
_RECORDED, _TITLE, _LABEL, _THEME, _MANAGED = (
    _p(D.recordedAt), _p(DCT.title), _p(SKOS.prefLabel), _p(DCAT.theme), _p(D.managedIn),
)  # fmt: skip
_DATE: Final = f"^^<{XSD.date}>"
_INSTANT: Final = f"^^<{XSD.dateTime}>"


class Writer:
    """Turn structures into lines. ``history`` adds the instants of recording, and versions, to every record."""

    def __init__(self, world: World, plans: Plans, history: bool = False) -> None:
        self.world = world
        self.plans = plans
        self.history = history

    # ---- the ground ------------------------------------------------------------------------------------------------
    def ground(self) -> Iterator[str]:
        """Yield the lines of fields, areas, kinds, law, bodies, reorganisations, scopes and catalogues."""
        world = self.world
        g = f" <{world.ground}> .\n"
        yield from self._code_lists(g)
        for area in world.areas:
            yield from self._area(area, g)
        for number, body in enumerate(world.bodies):
            # each body stands in the register of its ministry or province
            yield from self._body(body, number, f" <{world.register_of(number // 68)}> .\n")
        yield from self._law(f" <{world.law}> .\n")
        yield from self._changes(f" <{world.changes}> .\n")
        for number, claim in enumerate(world.scopes):
            yield self.claim(claim, f" <{world.register_of(number // 22)}> .\n")
        for graph in world.registers:
            number = graph.rsplit("/", 1)[1]
            yield f"<{NS}catalogue/{number}>{_is(DCAT.Catalog)} <{graph}> .\n"
            yield f'<{NS}catalogue/{number}>{_TITLE}"Danh mục {number}"@vi <{graph}> .\n'
        for number, graph in enumerate(world.portals):
            claim = self.plans.portal(number)
            g = f" <{graph}> .\n"
            yield f"<{claim.members_of}>{_is(DCAT.Catalog)}{g}"
            yield f'<{claim.members_of}>{_TITLE}"Cổng dữ liệu {number}"@vi{g}'
            yield self.claim(claim, g)

    def _code_lists(self, g: str) -> Iterator[str]:
        for entry in self.world.fields:
            s = f"<{entry.iri}>"
            yield f"{s}{_is(SKOS.Concept)}{g}"
            yield f'{s}{_LABEL}"{entry.label}"@vi{g}'
            yield f"{s} <{SKOS.inScheme}> <{NS}scheme/fields>{g}"
            if entry.above is not None:
                yield f"{s} <{SKOS.broader}> <{entry.above.iri}>{g}"
            else:
                yield f'{s}{_LABEL}"{entry.english}"@en{g}'
        for slug, (label, level) in _KINDS.items():
            s = f"<{NS}kind/{slug}>"
            yield f"{s}{_is(SKOS.Concept)}{g}"
            yield f'{s}{_LABEL}"{label}"@vi{g}'
            yield f"{s} <{D.level}> <{_LEVELS[level]}>{g}"
        s = f"<{NS}post-kind/head>"
        yield f"{s}{_is(SKOS.Concept)}{g}"
        yield f'{s}{_LABEL}"Người đứng đầu"@vi{g}'

    def _dates(self, s: str, start: str | None, end: str | None, g: str) -> str:
        lines = ""
        if start is not None:
            lines += f'{s}{_FROM}"{start}"{_DATE}{g}'
        if end is not None:
            lines += f'{s}{_UNTIL}"{end}"{_DATE}{g}'
        return lines

    def _instant(self, s: str, g: str) -> str:
        return f'{s}{_RECORDED}"{RECORDED}"{_INSTANT}{g}' if self.history else ""

    def _name(self, iri: str, text: str, start: str | None, end: str | None, g: str, short: str = "") -> str:
        s = f"<{NS}record/name-{iri.removeprefix(NS).replace('/', '-')}>"
        lines = f"{s}{_is(D.Name)}{g}{s} <{D.nameOf}> <{iri}>{g}" + f'{s} <{SKOSXL.literalForm}> "{text}"@vi{g}'
        if short:
            lines += f'{s} <{SKOS.altLabel}> "{short}"@vi{g}'
        return lines + self._dates(s, start, end, g) + self._instant(s, g)

    def _placement(self, iri: str, above: str, start: str | None, end: str | None, g: str) -> str:
        s = f"<{NS}record/place-{iri.removeprefix(NS).replace('/', '-')}>"
        lines = f"{s}{_is(D.Placement)}{g}{s} <{D.placed}> <{iri}>{g}{s} <{D.under}> <{above}>{g}"
        return lines + self._dates(s, start, end, g) + self._instant(s, g)

    def _area(self, area: Area, g: str) -> Iterator[str]:
        s = f"<{area.iri}>"
        yield f"{s}{_is(D.Area)}{g}"
        yield f"{s} <{D.level}> <{_LEVELS[area.level]}>{g}"
        yield f'{s}{_LABEL}"{area.name}"@vi{g}'
        yield self._dates(s, area.start, area.end, g)
        yield self._name(area.iri, area.name, area.start, area.end, g)
        if area.above is not None:
            yield self._placement(area.iri, area.above.iri, area.start, area.end, g)
            # a merged province takes over the code of one of those it came from
            c = f"<{NS}record/code-{area.iri.removeprefix(NS).replace('/', '-')}>"
            yield f"{c}{_is(D.Code)}{g}{c} <{D.codeOf}> {s}{g}"
            yield f'{c} <{SKOS.notation}> "{self._code(area)}"{g}{c} <{SKOS.inScheme}> <{NS}scheme/areas>{g}'
            yield self._dates(c, area.start, area.end, g) + self._instant(c, g)

    def _code(self, area: Area) -> str:
        if area.level == "province" and area.start is not None:
            return next(old.code for old in self.world.old_provinces if old.heirs[0] is area)
        return area.code

    def _body(self, body: Body, number: int, g: str) -> Iterator[str]:
        s = f"<{body.iri}>"
        yield f"{s}{_is(D.OutsideBody if body.outside else D.Agency)}{g}"
        yield f"{s} <{D.bodyKind}> <{body.kind}>{g}"
        yield f'{s}{_LABEL}"{body.name}"@vi{g}'
        yield self._dates(s, body.start, body.end, g)
        if number % 10 == 0 and body.start is None and not body.outside:
            past = self._name(body.iri, f"{body.name} (tên cũ)", None, "2018-01-01", g)
            yield past.replace("/record/name-", "/record/former-name-")
            yield self._name(body.iri, body.name, "2018-01-01", body.end, g, body.abbreviation)
        else:
            yield self._name(body.iri, body.name, body.start, body.end, g, body.abbreviation)
        if body.area is not None and body.kind.endswith(("committee", "ministry", "government")):
            yield f"{s} <{D.jurisdiction}> <{body.area.iri}>{g}"
        if body.above is not None:
            yield self._placement(body.iri, body.above.iri, body.start, body.end, g)
        if not body.outside:
            post = f"<{body.post}>"
            yield f"{post}{_is(D.Post)}{g}{post} <{D.postIn}> {s}{g}{post} <{D.postKind}> <{NS}post-kind/head>{g}"
            yield f'{post}{_LABEL}"Người đứng đầu {body.name}"@vi{g}'
            if body.post not in self._contactless:
                yield f"{post} <{_EMAIL}> <mailto:{body.iri.rsplit('/', 1)[1]}@example.vn>{g}"

    @property
    def _contactless(self) -> frozenset[str]:
        found = self.__dict__.get("_without")
        if found is None:
            found = self.__dict__["_without"] = frozenset(self.world.contactless)
        return found

    def _law(self, g: str) -> Iterator[str]:
        for number, law in enumerate(self.world.instruments):
            s = f"<{law.iri}>"
            yield f'{s}{_is(D.LegalInstrument)}{g}{s}{_TITLE}"Nghị định {law.number}"@vi{g}'
            yield f"{s} <{D.instrumentType}> <{NS}instrument-type/decree>{g}"
            yield f'{s} <{D.normative}> "{"true" if number % 7 else "false"}"^^<{XSD.boolean}>{g}'
            yield f"{s} <{D.issuer}> <{self.world.government.iri}>{g}"
            yield f'{s} <{D.issuedOn}> "{law.start}"{_DATE}{g}'
            if law.gazetted:
                yield f'{s} <{D.gazettedOn}> "{law.start}"{_DATE}{g}'
            yield self._dates(s, law.start, law.end, g)
            for provision in law.provisions:
                s = f"<{provision}>"
                yield f"{s}{_is(D.Provision)}{g}{s} <{D.partOf}> <{law.iri}>{g}"
                yield f'{s}{_TITLE}"Điều {provision[-1]}, {law.number}"@vi{g}'
                yield self._dates(s, law.start, law.end, g)

    def _changes(self, g: str) -> Iterator[str]:
        for event in self.world.events:
            s = f"<{event.iri}>"
            yield f"{s}{_is(D.ChangeEvent)}{g}{s} <{D.changeKind}> <{event.kind}>{g}"
            yield f'{s} <{D.effectiveOn}> "{event.day}"{_DATE}{g}'
            yield f"{s}{_BASIS}<{self.world.reorganising.iri}>{g}{s}{_CONFIDENCE}<{Confidence.V1}>{g}"
            yield self._instant(s, g)
        for move in self.world.successions:
            s = f"<{move.iri}>"
            successor = D.nobody if move.successor is None else move.successor.iri
            yield f"{s}{_is(D.Succession)}{g}{s} <{D.event}> <{move.event.iri}>{g}"
            yield f"{s} <{D.predecessor}> <{move.predecessor}>{g}{s} <{D.successor}> <{successor}>{g}"
            if move.confidence != Confidence.V3:
                yield f"{s}{_CONFIDENCE}<{move.confidence}>{g}"
            if move.field is not None:
                yield f"{s}{_FIELD}<{move.field.iri}>{g}"
            if move.area is not None:
                yield f"{s}{_AREA}<{move.area.iri}>{g}"
            yield self._instant(s, g)

    # ---- records ---------------------------------------------------------------------------------------------------
    def claim(self, claim: Claim, g: str) -> str:
        s = f"<{claim.iri}>"
        lines = [f"{s}{_RESPONSIBILITY}{g}{s}{_ROLE}<{claim.role}>{g}"]
        for holder in claim.holders:
            lines.append(f"{s}{_HOLDER}<{holder.iri if holder else D.nobody}>{g}")
        if claim.post is not None:
            lines.append(f"{s}{_HOLDER}<{claim.post}>{g}")
        if claim.holder_kind is not None:
            lines.append(f"{s}{_KIND}<{claim.holder_kind}>{g}")
        if claim.lead is not None:
            lines.append(f"{s} <{D.lead}> <{claim.lead.iri}>{g}")
        if claim.covers is not None:
            lines.append(f"{s}{_COVERS}<{claim.covers}>{g}")
        if claim.members_of is not None:
            lines.append(f"{s}{_MEMBERS}<{claim.members_of}>{g}")
        for entry in claim.fields:
            lines.append(f"{s}{_FIELD}<{entry.iri}>{g}")
        for area in claim.areas:
            lines.append(f"{s}{_AREA}<{area.iri}>{g}")
        for excluded in claim.excludes:
            lines.append(f"{s}{_EXCLUDES}<{excluded}>{g}")
        if claim.basis is not None:
            lines.append(f"{s}{_BASIS}<{claim.basis}>{g}")
        if claim.start is not None:
            lines.append(f'{s}{_FROM}"{claim.start}"{_DATE}{g}')
        if claim.end is not None:
            lines.append(f'{s}{_UNTIL}"{claim.end}"{_DATE}{g}')
        if claim.confidence != Confidence.V3:
            # V3 is what the load declares for the whole source
            lines.append(f"{s}{_CONFIDENCE}<{claim.confidence}>{g}")
        if claim.covers is not None and claim.role == Role.accountable:
            lines.append(f"{s}{_SOURCE}<{claim.covers}/source>{g}")
        if self.history:
            lines.append(f'{s}{_RECORDED}"{claim.recorded or RECORDED}"{_INSTANT}{g}')
            if claim.withdrawn is not None:
                lines.append(f'{s} <{D.withdrawnAt}> "{claim.withdrawn}"{_INSTANT}{g}')
                lines.append(f"{s} <{D.versionOf}> <{claim.iri.removesuffix('/v/1')}>{g}")
        return "".join(lines)

    def _transfer(self, transfer: Transfer, g: str) -> str:
        s = f"<{transfer.iri}>"
        lines = (
            f"{s}{_TRANSFER}{g}{s} <{D.transferKind}> <{transfer.kind}>{g}"
            f"{s} <{D.transferor}> <{transfer.transferor}>{g}{s} <{D.takesFrom}> <{transfer.takes_from.iri}>{g}"
            f'{s} <{D.creates}> <{transfer.creates.iri}>{g}{s} <{D.grantedOn}> "{transfer.granted}"{_DATE}{g}'
        )
        if transfer.basis is not None:
            lines += f"{s}{_BASIS}<{transfer.basis}>{g}"
        if transfer.lapses_with is not None:
            lines += f"{s} <{D.lapsesWith}> <{transfer.lapses_with}>{g}"
        return f"{lines}{s}{_CONFIDENCE}<{Confidence.V2}>{g}{self._instant(s, g)}"

    def _flow(self, flow: Flow, target: str, g: str) -> str:
        s = f"<{flow.iri}>"
        lines = (
            f"{s}{_FLOW}{g}{s} <{D.flowFrom}> <{NS}dataset/{flow.origin}>{g}{s} <{D.flowTo}> {target}{g}"
            f'{s}{_FROM}"{flow.start}"{_DATE}{g}'
        )
        if flow.basis is not None:
            lines += f"{s}{_BASIS}<{flow.basis}>{g}"
        return lines + self._instant(s, g)

    def series(self, series: Series) -> str:
        s, g = f"<{series.iri}>", f" <{series.graph}> .\n"
        lines = f'{s}{_is(DCAT.DatasetSeries)}{g}{s}{_TITLE}"{series.title}"@vi{g}'
        if series.above is not None:
            lines += f"{s} <{DCAT.inSeries}> <{series.above}>{g}"
        return lines + (self.claim(series.claim, g) if series.claim is not None else "")

    def block(self, index: int) -> str:
        """Return what has to stand before dataset ``index``: its block's series, and the wider one every ten blocks."""
        if index % SERIES_SIZE:
            return ""
        number = index // SERIES_SIZE
        lines = self.series(self.plans.series(number))
        if number % WIDER_SIZE == 0:
            lines += self.series(self.plans.wider(number // WIDER_SIZE))
        return lines

    def dataset(self, plan: Dataset) -> str:
        s, g = f"<{plan.iri}>", f" <{plan.graph}> .\n"
        catalogue = f"{NS}catalogue/{plan.graph.rsplit('/', 1)[1]}"
        if plan.portal is not None:
            catalogue = f"{NS}catalogue/portal-{plan.portal}"
        file = f"<{plan.iri}/file>"
        lines = [
            f'{s} <{RDF.type}> <{DCAT.Dataset}>{g}{s} <{DCT.identifier}> "DS-{plan.index:07d}"{g}'
            f"<{catalogue}> <{DCAT.dataset}> {s}{g}"
            f"{s} <{DCT.accessRights}> <{BASE}bench/access/{('public', 'restricted')[plan.index % 3 == 0]}>{g}"
            f"{s} <{_DISTRIBUTION}> {file}{g}{file}{_is(DCAT.NS + 'Distribution')}{g}"
            f"{file} <{DCAT.NS}accessURL> <https://data.example.vn/{plan.index}.csv>{g}"
        ]
        if plan.title:
            lines.append(f'{s}{_TITLE}"{plan.title}"@vi{g}')
        if plan.english:
            lines.append(f'{s}{_TITLE}"{plan.english}"@en{g}')
        for entry in plan.themes:
            lines.append(f"{s}{_THEME}<{entry.iri}>{g}")
        for area in plan.areas:
            lines.append(f"{s}{_MANAGED}<{area.iri}>{g}")
        if plan.series is not None:
            lines.append(f"{s} <{DCAT.inSeries}> <{plan.series.iri}>{g}")
        if plan.publisher is not None:
            lines.append(f"{s} <{DCT.publisher}> <{plan.publisher.iri}>{g}")
        for claim in plan.claims:
            lines.append(self.claim(claim, g))
        for claim in plan.others:
            lines.append(self.claim(claim, g))
        for claim in plan.past:
            lines.append(self.claim(claim, g))
        for transfer in plan.transfers:
            lines.append(self._transfer(transfer, g))
        for flow in plan.flows:
            lines.append(self._flow(flow, s, g))
        return "".join(lines)



