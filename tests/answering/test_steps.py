"""State each step of the answering algorithm as a fact about a register of a few lines."""

from __future__ import annotations

from datetime import date

import pyoxigraph as ox
import pytest

from graph.answering import answer
from graph.evidence import gather
from graph.model import Decision, How
from graph.reach import touched
from graph.responsibility import decide
from graph.store import OxigraphStore
from graph.terms import RDF, D, Graphs, Role, Status
from tests.answering.registers import GRAPH, X, keys

PREFIXES = f"""
@prefix : <{X}> .
@prefix d: <https://w3id.org/diaba/ns#> .
@prefix role: <https://w3id.org/diaba/role/> .
@prefix conf: <https://w3id.org/diaba/confidence/> .
@prefix level: <https://w3id.org/diaba/level/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:x a dcat:Dataset .
"""


def store_of(turtle: str) -> OxigraphStore:
    store = OxigraphStore()
    quads = [
        ox.Quad(t.subject, t.predicate, t.object, GRAPH)
        for t in ox.parse(input=PREFIXES + dated(turtle), format=ox.RdfFormat.TURTLE)
    ]
    store.load([*quads, *keys((q.subject.value, q.predicate.value, q.object.value) for q in quads)], 1)
    return store


def dated(turtle: str) -> str:
    """Write the days of the examples, ``2025-03-01``, as typed dates."""
    words = turtle.split(" ")
    return " ".join(f'"{word}"^^xsd:date' if word[:2] == "20" and word.count("-") == 2 else word for word in words)


def on(turtle: str, day: str, role: str = Role.accountable) -> Decision:
    return decide(gather(store_of(turtle), X + "x"), role, date.fromisoformat(day))


def names(decision: Decision) -> list[str]:
    return [holder.removeprefix(X) for holder in decision.holders]


HELD = ":r a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :a "


def test_a_record_without_a_start_holds_since_ever() -> None:
    assert names(on(HELD + ".", "1990-01-01")) == ["a"]


def test_silence_is_unknown_and_nobody_is_vacant() -> None:
    assert on("", "2025-01-01").status == Status.unknown
    stated = ":r a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder d:nobody ."
    assert on(stated, "2025-01-01").status == Status.vacant


def test_between_an_ended_record_and_one_to_come_the_answer_is_expired_and_names_the_next_holder() -> None:
    turtle = (
        ":r1 a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :a ; d:until 2024-01-01 .\n"
        ":r2 a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :b ; d:from 2026-01-01 ."
    )
    decision = on(turtle, "2025-01-01")
    assert decision.status == Status.expired
    assert decision.next_holders == (X + "b",)


def test_a_covered_series_passes_nothing_on_unless_its_members_are_covered() -> None:
    series = ":x dcat:inSeries :s . :r a d:Responsibility ; d:role role:accountable ; d:holder :a ; "
    assert on(series + "d:covers :s .", "2025-01-01").status == Status.unknown
    decision = on(series + "d:coversMembersOf :s .", "2025-01-01")
    assert names(decision) == ["a"]
    assert decision.lines[0].leading.how is How.derived


def test_a_named_resource_beats_its_series_which_beats_the_series_that_holds_it_which_beats_a_scope() -> None:
    ranks = [
        "d:covers :x",
        "d:coversMembersOf :s",
        "d:coversMembersOf :t",
        "d:field :f",
    ]
    base = ":x dcat:inSeries :s ; dcat:theme :f . :s dcat:inSeries :t ."
    records = [
        f":r{n} a d:Responsibility ; d:role role:accountable ; d:holder :h{n} ; {reach} ."
        for n, reach in enumerate(ranks)
    ]
    for first in range(len(ranks)):
        assert names(on(base + "\n".join(records[first:]), "2025-01-01")) == [f"h{first}"]


def test_members_of_unrelated_catalogues_are_disputed() -> None:
    turtle = """:c dcat:dataset :x . :k dcat:dataset :x .
    :r1 a d:Responsibility ; d:role role:accountable ; d:holder :a ; d:coversMembersOf :c .
    :r2 a d:Responsibility ; d:role role:accountable ; d:holder :b ; d:coversMembersOf :k ."""
    assert on(turtle, "2025-01-01").status == Status.disputed


SCOPES = """:x dcat:theme :narrow ; d:managedIn :town . :narrow skos:broader :wide .
:p1 a d:Placement ; d:placed :town ; d:under :land . :land a d:Area ; d:level level:central ."""


def scope(number: int, *parts: str) -> str:
    return f":s{number} a d:Responsibility ; d:role role:accountable ; d:holder :h{number} ; {' ; '.join(parts)} ."


def test_a_narrower_field_or_a_smaller_area_beats_a_wider_one() -> None:
    wide = scope(1, "d:field :wide", "d:area :land")
    assert names(on(SCOPES + wide + scope(2, "d:field :narrow", "d:area :land"), "2025-01-01")) == ["h2"]
    assert names(on(SCOPES + wide + scope(2, "d:field :wide", "d:area :town"), "2025-01-01")) == ["h2"]
    assert names(on(SCOPES + wide + scope(2, "d:field :wide"), "2025-01-01")) == ["h1"]


def test_crossing_scopes_compete_and_are_disputed() -> None:
    crossing = scope(1, "d:field :narrow", "d:area :land") + scope(2, "d:field :wide", "d:area :town")
    assert on(SCOPES + crossing, "2025-01-01").status == Status.disputed


def test_a_scope_holds_a_resource_only_if_it_contains_every_one_of_its_areas() -> None:
    both = SCOPES + ":x d:managedIn :village . :p2 a d:Placement ; d:placed :village ; d:under :land ."
    assert on(both + scope(1, "d:area :town"), "2025-01-01").status == Status.unknown
    assert names(on(both + scope(1, "d:area :land"), "2025-01-01")) == ["h1"]


def test_where_no_area_is_known_only_the_country_matches() -> None:
    nowhere = """:x dcat:theme :f . :land a d:Area ; d:level level:central . :town a d:Area ; d:level level:commune .
    :p1 a d:Placement ; d:placed :town ; d:under :land ."""
    assert on(nowhere + scope(1, "d:field :f", "d:area :town"), "2025-01-01").status == Status.unknown
    assert names(on(nowhere + scope(1, "d:field :f", "d:area :land"), "2025-01-01")) == ["h1"]


def test_what_a_record_excludes_it_does_not_hold() -> None:
    assert on(SCOPES + scope(1, "d:field :wide", "d:excludes :narrow"), "2025-01-01").status == Status.unknown
    assert on(SCOPES + scope(1, "d:field :wide", "d:excludes :town"), "2025-01-01").status == Status.unknown
    assert on(SCOPES + scope(1, "d:field :wide", "d:excludes :x"), "2025-01-01").status == Status.unknown


KIND = """:x d:managedIn :town . :p1 a d:Placement ; d:placed :town ; d:under :land .
:r a d:Responsibility ; d:role role:accountable ; d:holderKind :committee ; d:area :land ."""


def test_a_kind_of_body_is_the_living_one_with_the_smallest_jurisdiction_around_the_data() -> None:
    bodies = """:c1 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :town ; d:from 2025-07-01 .
    :c2 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :land ; d:until 2025-07-01 .
    :c3 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :elsewhere ."""
    assert names(on(KIND + bodies, "2025-06-30")) == ["c2"]
    decision = on(KIND + bodies, "2025-07-01")
    assert names(decision) == ["c1"]
    assert decision.lines[0].leading.how is How.derived


def test_two_bodies_of_a_kind_over_the_same_data_need_a_decision() -> None:
    bodies = """:c1 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :town .
    :c2 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :town ."""
    assert on(KIND + bodies, "2025-07-01").status == Status.needs_decision


def test_a_kind_of_body_that_ended_is_expired_and_one_to_come_is_not_yet() -> None:
    gone = ":c1 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :town ; d:until 2025-07-01 ."
    coming = ":c1 a d:Agency ; d:bodyKind :committee ; d:jurisdiction :town ; d:from 2025-07-01 ."
    assert on(KIND + gone, "2025-07-01").status == Status.expired
    assert on(KIND + coming, "2025-06-30").status == Status.not_yet


def transfer(kind: str, more: str = "") -> str:
    return (
        ":p a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :giver .\n"
        f":c a d:Responsibility ; d:role {'role:executes' if kind == 'mandate' else 'role:accountable'} ;"
        f" d:covers :x ; d:holder :taker ; d:from 2025-01-01 {more} .\n"
        f":t a d:Transfer ; d:transferKind d:{kind} ; d:transferor :giver ; d:takesFrom :p ; d:creates :c ."
    )


@pytest.mark.parametrize("kind", ["delegation", "devolution"])
def test_delegation_and_devolution_put_the_taker_in_the_givers_place(kind: str) -> None:
    assert names(on(transfer(kind), "2024-12-31")) == ["giver"]
    assert names(on(transfer(kind), "2025-01-01")) == ["taker"]


def test_a_lapsed_delegation_gives_the_duty_back_to_the_giver() -> None:
    turtle = transfer("delegation", "; d:lapsesWith :law") + ":law d:until 2026-01-01 ."
    assert names(on(turtle, "2025-12-31")) == ["taker"]
    assert names(on(turtle, "2026-01-01")) == ["giver"]


def test_an_article_lapses_with_the_law_it_stands_in() -> None:
    turtle = transfer("delegation", "; d:lapsesWith :article") + ":article d:partOf :law . :law d:until 2026-01-01 ."
    assert names(on(turtle, "2026-01-01")) == ["giver"]


def test_a_mandate_leaves_the_giver_accountable_and_lets_the_taker_execute() -> None:
    assert names(on(transfer("mandate"), "2025-01-01")) == ["giver"]
    assert names(on(transfer("mandate"), "2025-01-01", Role.executes)) == ["taker"]


@pytest.mark.parametrize("party", ["giver", "taker"])
def test_a_mandate_ends_when_either_side_ends_and_is_never_followed(party: str) -> None:
    turtle = (
        transfer("mandate")
        + f""" :{party} a d:Agency ; d:until 2026-01-01 .
    :e d:effectiveOn 2026-01-01 .
    :s a d:Succession ; d:event :e ; d:predecessor :{party} ; d:successor :heir ."""
    )
    assert names(on(turtle, "2025-12-31", Role.executes)) == ["taker"]
    assert on(turtle, "2026-01-01", Role.executes).status == Status.expired


def test_a_delegation_outlives_neither_its_parent_nor_a_circle() -> None:
    outlived = transfer("delegation") + " :p d:until 2025-06-01 ."
    assert names(on(outlived, "2025-05-31")) == ["taker"]
    assert on(outlived, "2025-06-01").status == Status.expired
    circle = transfer("delegation") + ":t2 a d:Transfer ; d:transferKind d:delegation ; d:takesFrom :c ; d:creates :p ."
    decision = on(circle, "2025-01-01")
    assert decision.status == Status.unknown
    assert decision.cycles == ((X + "c", X + "p"),)
    card = answer(gather(store_of(circle), X + "x"), date(2025, 1, 1), date(2026, 1, 1))
    assert [note.about for note in card.notes if note.code == "cycle"] == [(X + "c", X + "p")]


def test_a_delegation_to_a_body_that_does_not_exist_yet_has_replaced_nobody() -> None:
    turtle = transfer("delegation") + " :taker a d:Agency ; d:from 2026-01-01 ."
    assert names(on(turtle, "2025-06-01")) == ["giver"]
    assert names(on(turtle, "2026-01-01")) == ["taker"]


def test_the_giver_of_a_delegation_supervises() -> None:
    card = answer(gather(store_of(transfer("delegation")), X + "x"), date(2025, 6, 1), date(2026, 1, 1))
    assert card.supervisors == (X + "giver",)


ENDED = HELD + ". :a a d:Agency ; d:until 2025-03-01 . :e a d:ChangeEvent ; d:effectiveOn 2025-03-01 . "


def succession(number: int, heir: str, *conditions: str) -> str:
    more = "".join(f" ; {condition}" for condition in conditions)
    return f":su{number} a d:Succession ; d:event :e ; d:predecessor :a ; d:successor {heir}{more} .\n"


def test_an_ended_holder_is_followed_to_its_heir_from_the_day_of_the_event() -> None:
    turtle = ENDED + succession(1, ":b")
    assert names(on(turtle, "2025-02-28")) == ["a"]
    decision = on(turtle, "2025-03-01")
    assert names(decision) == ["b"]
    assert decision.lines[0].leading.how is How.followed
    assert [step.succession for step in decision.lines[0].leading.steps] == [X + "su1"]


def test_a_matching_condition_beats_the_residual_heir_and_both_conditions_beat_one() -> None:
    base = ENDED + ":x dcat:theme :f ; d:managedIn :town ."
    residual, field = succession(1, ":rest"), succession(2, ":by-field", "d:field :f")
    area = succession(3, ":by-area", "d:area :town")
    both = succession(4, ":by-both", "d:field :f", "d:area :town")
    other = succession(5, ":other", "d:field :g")
    assert names(on(base + residual + other, "2025-03-01")) == ["rest"]
    assert names(on(base + residual + area + other, "2025-03-01")) == ["by-area"]
    assert names(on(base + residual + area + field, "2025-03-01")) == ["by-field"]
    assert names(on(base + residual + area + field + both, "2025-03-01")) == ["by-both"]


def test_heirs_that_match_alike_and_an_heir_nobody_knows_both_need_a_decision() -> None:
    assert on(ENDED, "2025-03-01").status == Status.needs_decision
    several = on(ENDED + succession(1, ":b") + succession(2, ":c"), "2025-03-01")
    assert several.status == Status.needs_decision
    assert names(several) == ["b", "c"]


def test_an_unverified_heir_is_shown_below_the_line_and_never_the_answer() -> None:
    decision = on(ENDED + succession(1, ":b", "d:confidence conf:R"), "2025-03-01")
    assert decision.status == Status.needs_decision
    assert decision.holders == ()
    assert [line.holders for line in decision.claims] == [(X + "b",)]


def test_an_end_without_heir_that_is_stated_leaves_the_duty_vacant() -> None:
    assert on(ENDED + succession(1, "d:nobody"), "2025-03-01").status == Status.vacant


def test_a_holder_that_survives_an_event_loses_only_what_a_condition_names() -> None:
    living = HELD + ". :x dcat:theme :f . :e a d:ChangeEvent ; d:effectiveOn 2025-03-01 . "
    assert names(on(living + succession(1, ":b"), "2025-03-01")) == ["a"]
    assert names(on(living + succession(1, ":b", "d:field :g"), "2025-03-01")) == ["a"]
    assert names(on(living + succession(1, ":b", "d:field :f"), "2025-03-01")) == ["b"]


def test_a_record_made_on_the_day_of_the_event_is_not_moved_by_it() -> None:
    turtle = ":r d:from 2025-03-01 . :x dcat:theme :f . :e a d:ChangeEvent ; d:effectiveOn 2025-03-01 . " + HELD + ". "
    assert names(on(turtle + succession(1, ":b", "d:field :f"), "2025-03-01")) == ["a"]


def test_a_body_that_is_established_again_holds_again() -> None:
    turtle = (
        ENDED
        + succession(1, ":b")
        + """:b a d:Agency ; d:from 2025-03-01 ; d:until 2026-01-01 .
    :e2 d:effectiveOn 2026-01-01 . :su9 a d:Succession ; d:event :e2 ; d:predecessor :b ; d:successor :a2 .
    :a2 a d:Agency ; d:from 2026-01-01 ."""
    )
    assert names(on(turtle, "2025-12-31")) == ["b"]
    assert names(on(turtle, "2026-01-01")) == ["a2"]


def test_a_post_ends_with_its_body() -> None:
    turtle = ":r a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :chair . "
    turtle += ":chair a d:Post ; d:postIn :body . :body a d:Agency ; d:until 2025-07-01 ."
    assert names(on(turtle, "2025-06-30")) == ["chair"]
    assert on(turtle, "2025-07-01").status == Status.needs_decision


def rival(number: int, holder: str, *more: str) -> str:
    parts = "".join(f" ; {part}" for part in more)
    return f":v{number} a d:Responsibility ; d:role role:accountable ; d:covers :x ; d:holder :{holder}{parts} .\n"


def test_a_record_of_the_new_day_beats_the_heir_it_replaces() -> None:
    turtle = ENDED + succession(1, ":b") + rival(1, "c", "d:from 2025-03-01")
    decision = on(turtle, "2025-03-01")
    assert names(decision) == ["c"]
    assert decision.status == Status.held


def test_official_text_beats_third_parties_who_are_shown_as_contradicted() -> None:
    turtle = rival(1, "a", "d:confidence conf:V2") + rival(2, "b", "d:confidence conf:V3")
    decision = on(turtle, "2025-01-01")
    assert names(decision) == ["a"]
    assert [line.holders for line in decision.contradicted] == [(X + "b",)]


def test_two_official_texts_are_a_dispute_and_never_settled_by_the_later_date() -> None:
    turtle = rival(1, "a", "d:from 2020-01-01") + rival(2, "b", "d:from 2024-01-01")
    assert on(turtle, "2025-01-01").status == Status.disputed


def test_dated_records_beat_undated_imports() -> None:
    turtle = rival(1, "a", "prov:wasGeneratedBy d:door") + rival(2, "b", "d:from 2024-01-01")
    assert names(on(turtle, "2025-01-01")) == ["b"]


def test_a_followed_winner_is_questioned_by_a_claim_for_somebody_else() -> None:
    turtle = ENDED + succession(1, ":b")
    assert on(turtle + rival(1, "c", "d:confidence conf:R"), "2025-03-01").status == Status.needs_decision
    assert on(turtle + rival(1, "b", "d:confidence conf:R"), "2025-03-01").status == Status.held
    assert on(turtle + rival(1, "c", "d:confidence conf:R"), "2025-02-28").status == Status.held


def test_a_followed_winner_is_questioned_by_a_later_record_it_beats() -> None:
    turtle = ENDED + succession(1, ":b") + ":x dcat:theme :f . "
    later = ":w a d:Responsibility ; d:role role:accountable ; d:holder :c ; d:field :f ; d:from 2025-03-01 ."
    earlier = later.replace("2025-03-01", "2020-01-01")
    assert on(turtle + later, "2025-03-01").status == Status.needs_decision
    assert on(turtle + earlier, "2025-03-01").status == Status.held


def test_one_record_with_two_holders_is_shared_and_two_records_never_are() -> None:
    assert on(HELD + ", :b .", "2025-01-01").status == Status.shared
    assert on(rival(1, "a") + rival(2, "b"), "2025-01-01").status == Status.disputed


def test_roles_that_are_not_exclusive_list_everybody() -> None:
    turtle = (rival(1, "a") + rival(2, "b")).replace("role:accountable", "role:uses")
    decision = on(turtle, "2025-01-01", Role.uses)
    assert decision.status == Status.held
    assert names(decision) == ["a", "b"]


def test_an_area_that_ended_counts_as_all_its_successors() -> None:
    turtle = """:x d:managedIn :old . :old a d:Area ; d:until 2025-07-01 . :e d:effectiveOn 2025-07-01 .
    :n1 a d:Area . :n2 a d:Area .
    :a1 a d:Succession ; d:event :e ; d:predecessor :old ; d:successor :n1 .
    :a2 a d:Succession ; d:event :e ; d:predecessor :old ; d:successor :n2 .
    :p1 a d:Placement ; d:placed :n1 ; d:under :city . :p2 a d:Placement ; d:placed :n2 ; d:under :city ."""
    assert on(turtle + scope(1, "d:area :n1"), "2025-07-01").status == Status.unknown
    assert names(on(turtle + scope(1, "d:area :city"), "2025-07-01")) == ["h1"]
    assert names(on(turtle + scope(1, "d:area :old"), "2025-06-30")) == ["h1"]


def test_words_where_a_link_belongs_lead_nowhere_and_hide_nothing() -> None:
    odd = """:x dcat:theme "water" ; dcat:inSeries "a series" ; d:managedIn "Hà Nội" .
    :r d:holder "somebody" ; d:basis "an act" ; d:lapsesWith "an act" ; d:field "water and sewage" . """
    store = store_of(odd + HELD + ".")
    assert decide(gather(store, X + "x"), Role.accountable, date(2025, 1, 1)).holders == (X + "a",)
    quads = list(store.contents(GRAPH.value))
    assert X + "x" in (touched(store, quads, quads) or set())


def test_areas_without_a_common_container_are_not_the_country() -> None:
    apart = ":x d:managedIn :town , :village . :land a d:Area ; d:level level:central ."
    assert on(apart + scope(1, "d:area :land"), "2025-01-01").status == Status.unknown


def test_a_line_is_beaten_when_each_of_its_records_is_by_whichever_other() -> None:
    turtle = """:x dcat:theme :f1 , :f2 . :f1 skos:broader :g1 . :f2 skos:broader :g2 .
    :s1 a d:Responsibility ; d:role role:accountable ; d:holder :a ; d:field :g1 .
    :s2 a d:Responsibility ; d:role role:accountable ; d:holder :a ; d:field :g2 .
    :s3 a d:Responsibility ; d:role role:accountable ; d:holder :b ; d:field :f1 .
    :s4 a d:Responsibility ; d:role role:accountable ; d:holder :c ; d:field :f2 ."""
    assert names(on(turtle, "2025-01-01")) == ["b", "c"]


def with_a_stranger(turtle: str, strange: str, *, plan: bool = False) -> Decision:
    """Ask a register in which another source, whose name comes first in the alphabet, says something as well."""
    store = store_of(turtle)
    other = ox.NamedNode("https://example.org/a-stranger")
    triples = ox.parse(input=PREFIXES + dated(strange), format=ox.RdfFormat.TURTLE)
    quads = [ox.Quad(t.subject, t.predicate, t.object, other) for t in triples]
    if plan:
        applied = (ox.NamedNode(RDF.type), ox.NamedNode(D.Plan), ox.NamedNode(Graphs.sources))
        quads.append(ox.Quad(other, *applied))
    store.apply((), quads, 2)
    return decide(gather(store, X + "x"), Role.accountable, date(2025, 6, 1))


@pytest.mark.parametrize(
    "strange",
    [":r d:until 2020-01-01 .", ":r d:holder :evil .", ":r d:confidence <https://w3id.org/diaba/confidence/R> ."],
)
def test_nobody_but_its_keeper_is_heard_about_a_record(strange: str) -> None:
    assert names(with_a_stranger(HELD + ".", strange)) == ["a"]


def test_a_stranger_cannot_lead_an_heir_to_another_holder() -> None:
    turtle = ENDED + succession(1, ":b")
    assert names(with_a_stranger(turtle, ":su1 d:successor :evil ; d:predecessor :b .")) == ["b"]


def test_a_stranger_cannot_make_a_duty_one_that_many_may_hold() -> None:
    turtle = rival(1, "a", "d:from 2024-01-01") + rival(2, "b", "d:from 2024-01-01")
    assert (
        with_a_stranger(turtle, "<https://w3id.org/diaba/role/accountable> d:exclusive false .").status
        == Status.disputed
    )


# --- what an event ends ---------------------------------------------------------------------------------------------

ENDING = ":e a d:ChangeEvent ; d:effectiveOn 2025-03-01 ; d:ends {} . "


def test_an_event_ends_a_body_and_its_heir_follows() -> None:
    turtle = HELD + ". :a a d:Agency . :b a d:Agency . " + ENDING.format(":a")
    heir = ":su a d:Succession ; d:event :e ; d:predecessor :a ; d:successor :b ."
    assert names(on(turtle + heir, "2025-02-28")) == ["a"]
    assert names(on(turtle + heir, "2025-03-01")) == ["b"]
    assert on(turtle, "2025-03-01").status == Status.needs_decision


@pytest.mark.parametrize("confidence", ["R", "V3-mock"])
def test_an_event_that_nobody_verified_ends_nothing(confidence: str) -> None:
    turtle = HELD + ". :a a d:Agency . " + ENDING.format(":a") + f":e d:confidence conf:{confidence} ."
    assert names(on(turtle, "2025-03-01")) == ["a"]


def test_an_event_ends_a_record_and_an_earlier_end_stands() -> None:
    assert on(HELD + ". " + ENDING.format(":r"), "2025-03-01").status == Status.expired
    assert on(HELD + "; d:until 2024-01-01 . " + ENDING.format(":r"), "2024-06-01").status == Status.expired


def test_a_stranger_ends_nothing_unless_it_is_a_plan_that_was_applied() -> None:
    turtle, strange = HELD + ". :a a d:Agency .", ENDING.format(":a")
    assert names(with_a_stranger(turtle, strange)) == ["a"]
    assert with_a_stranger(turtle, strange, plan=True).status == Status.needs_decision
