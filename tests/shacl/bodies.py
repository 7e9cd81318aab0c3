"""SPARQL bodies that between them use what the grammar has, each under a name; and small random graphs for them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import pyoxigraph as ox
from hypothesis import strategies as st

from graph.terms import RDF, XSD, D

E: Final = "https://example.org/"
PREFIXES: Final = (("e", E), ("d", D.NS), ("xsd", XSD.NS), ("rdf", RDF.NS))

#: name -> body; the focus nodes are the instances of e:T
BODIES: Final[dict[str, str]] = {
    "a pattern": "SELECT $this ?value WHERE { $this e:p ?value }",
    "a comparison": "SELECT $this ?value WHERE { $this e:n ?value . FILTER (?value > 2) }",
    "both kinds of variables": "SELECT ?this ?value WHERE { $this e:p $value . ?value e:n ?n FILTER ($n < 4) }",
    "lists, brackets, comments": (
        "SELECT $this ?value WHERE { # FILTER NOT EXISTS { no }\n $this a e:T ; e:p ?value , ?other ; .\n"
        ' ?value e:q [ e:n ?n ; e:p _:x ] . _:x a e:T FILTER (STR(?other) != "} NOT EXISTS {") }'
    ),
    "an RDF list": "SELECT $this ?value WHERE { $this e:list ( ?value ?second ) }",
    "a name with dots": "SELECT $this ?value WHERE { $this e:p.q ?value . }",
    "not exists": "SELECT $this WHERE { $this a e:T . FILTER NOT EXISTS { $this e:p ?x } }",
    "not exists over a join": (
        "SELECT $this WHERE { $this a e:T FILTER NOT EXISTS { $this e:p ?x . ?x e:q ?y . ?y a e:T } }"
    ),
    "not exists with outer values": (
        "SELECT $this ?value WHERE { $this e:p ?value FILTER NOT EXISTS { $this e:q ?x . FILTER (?x = ?value) } }"
    ),
    "not exists with an optional outer value": (
        "SELECT $this WHERE { $this a e:T OPTIONAL { $this e:p ?x } FILTER NOT EXISTS { ?y e:q ?x } }"
    ),
    "exists": (
        "SELECT $this ?value WHERE { $this e:p ?value FILTER EXISTS { ?value e:q ?x OPTIONAL { ?x e:n ?n } "
        "FILTER (!BOUND(?n)) } }"
    ),
    "exists within not exists": (
        "SELECT $this WHERE { $this a e:T FILTER NOT EXISTS { $this e:p ?x FILTER NOT EXISTS { ?x e:q $this } } }"
    ),
    "not exists with a union": (
        "SELECT $this WHERE { $this a e:T FILTER NOT EXISTS { { $this e:p ?x } UNION { ?x e:q $this . ?x e:n ?n } } }"
    ),
    "two not exists": (
        "SELECT $this ?value WHERE { $this e:p ?value FILTER NOT EXISTS { ?value e:p ?x } FILTER NOT EXISTS "
        "{ ?value e:q $this } }"
    ),
    "conditions joined": (
        "SELECT $this ?value WHERE { $this e:n ?value FILTER (?value > 1 && NOT EXISTS { $this e:p ?x } && "
        "(?value < 9)) }"
    ),
    "exists as one choice": (
        "SELECT $this ?value WHERE { $this e:n ?value FILTER (?value > 3 || NOT EXISTS { $this e:p ?x }) }"
    ),
    "exists denied": "SELECT $this WHERE { $this a e:T FILTER (! EXISTS { $this e:p ?x . ?x a e:T }) }",
    "optional": "SELECT $this ?value WHERE { $this a e:T OPTIONAL { $this e:p ?value } FILTER (!BOUND(?value)) }",
    "optional join with its own condition": (
        "SELECT $this ?value WHERE { $this e:p ?value OPTIONAL { ?value e:q ?x . ?x e:n ?n FILTER (?n > 2 && "
        "?x != $this) } "
        "FILTER (BOUND(?n)) }"
    ),
    "optional within optional": (
        "SELECT $this ?value WHERE { $this e:p ?x OPTIONAL { ?x e:q ?value OPTIONAL { ?value e:p $this . "
        "?value e:n ?n } } }"
    ),
    "optional that hides the node": (
        "SELECT $this ?value WHERE { $this e:p ?x OPTIONAL { ?x e:q ?value OPTIONAL { ?value e:n ?n FILTER "
        "($this != ?value) } } }"
    ),
    "not exists within optional": (
        "SELECT $this ?value WHERE { $this a e:T OPTIONAL { $this e:p ?value FILTER NOT EXISTS { ?value e:q ?x } } }"
    ),
    "union": "SELECT $this ?value WHERE { { $this e:p ?value } UNION { ?value e:q $this } }",
    "union with conditions": (
        "SELECT $this ?value WHERE { $this a e:T . { $this e:p ?value FILTER (?value != $this) } UNION "
        "{ $this e:n ?value OPTIONAL { $this e:q ?x } FILTER (BOUND(?x)) } FILTER (isIRI(?value) || ?value > 1) }"
    ),
    "union that judges the node": (
        "SELECT $this ?value WHERE { $this e:p ?value . { ?value e:q ?x } UNION { ?value e:n ?n FILTER "
        "($this = e:a) } }"
    ),
    "braces that judge the node": (
        "SELECT $this WHERE { { FILTER ($this != e:a) } $this a e:T . FILTER (BOUND($this)) }"
    ),
    "inner braces": (
        "SELECT $this ?value WHERE { $this e:p ?x . { ?x e:q ?value . { ?value e:n ?n } FILTER (?n > 1) } }"
    ),
    "a computed value": "SELECT $this ?value WHERE { $this e:n ?n . BIND (?n * 2 AS ?value) FILTER (?value > 3) }",
    "a computed column": "SELECT $this (?n + 1 AS ?value) WHERE { $this e:n ?n }",
    "a value computed in braces": "SELECT $this ?value WHERE { $this e:p ?x . { ?x e:n ?n BIND (-?n AS ?value) } }",
    "an inverse path": "SELECT $this ?value WHERE { $this ^e:p/e:q ?value }",
    "alternative paths": "SELECT $this ?value WHERE { $this e:p|^e:q|(e:q/e:q) ?value }",
    "a repeated path": "SELECT $this ?value WHERE { $this a e:T . $this e:p* ?value . ?value e:n ?n }",
    "a cycle": "SELECT $this WHERE { $this (e:p|e:q)+ $this }",
    "a way round with turns": "SELECT $this ?value WHERE { $this e:p ?value . ?value ((^e:p/e:q)|e:q)* $this }",
    "an optional step": "SELECT $this ?value WHERE { $this a e:T ; e:p?/e:q ?value }",
    "a variable predicate": "SELECT $this ?value WHERE { $this ?predicate ?value . FILTER (?predicate IN (e:p, e:q)) }",
    "a value path": (
        "SELECT $this ?path ?value WHERE { $this ?path ?value . FILTER (isIRI(?value) && ?path != rdf:type) }"
    ),
    "two of the same": "SELECT $this ?value WHERE { ?value e:p ?x . $this e:p ?x . FILTER (STR(?value) > STR($this)) }",
    "a way back": "SELECT $this ?value WHERE { $this a e:T . ?value e:p $this . FILTER (?value != $this) }",
    "counted": "SELECT $this (COUNT(?x) AS ?value) WHERE { $this e:p ?x } GROUP BY $this HAVING (COUNT(?x) > 1)",
    "counted by another": "SELECT $this ?x (MAX(?n) AS ?value) WHERE { $this e:p ?x . ?x e:n ?n } GROUP BY $this ?x",
    "counted inside": (
        "SELECT $this ?value WHERE { $this a e:T . { SELECT $this (COUNT(DISTINCT ?x) AS ?value) WHERE { "
        "$this e:p|e:q ?x } "
        "GROUP BY $this } FILTER (?value > 1) }"
    ),
    "the greatest inside": (
        "SELECT $this ?value WHERE { $this e:n ?value . { SELECT $this (MAX(?n) AS ?most) WHERE { $this e:n "
        "?n } GROUP BY $this } "
        "FILTER (?value = ?most) }"
    ),
    "chosen inside": (
        "SELECT $this ?value WHERE { { SELECT DISTINCT $this ?x WHERE { $this e:p ?x . ?x e:p ?y } } ?x e:q "
        "?value }"
    ),
    "numbers and texts": (
        "SELECT $this ?value WHERE { $this e:n ?value . FILTER (?value = 1 || ?value >= +3.5e0 || "
        "REGEX(STR(?value), '^\\\\d$', \"i\")) }"
    ),
    "a condition on nothing": "SELECT $this WHERE { $this a e:T FILTER NOT EXISTS { e:a e:p e:c } }",
    "the day": (
        "SELECT $this ?value WHERE { ?x a d:Evaluation ; d:asOf ?asOf . $this e:until ?value . FILTER "
        "(?value <= ?asOf) }"
    ),
    "the day and what may be missing": (
        "SELECT $this ?value WHERE { ?evaluation d:asOf ?asOf . $this e:p ?value OPTIONAL { ?value e:from ?from } "
        "OPTIONAL { ?value e:until ?until } FILTER ((!BOUND(?from) || ?from <= ?asOf) && (!BOUND(?until) || "
        "?asOf < ?until)) }"
    ),
    "nothing in force on the day": (
        "SELECT $this WHERE { ?evaluation d:asOf ?asOf . $this a e:T FILTER NOT EXISTS { $this e:p ?x . "
        "OPTIONAL { ?x e:from ?from } "
        "OPTIONAL { ?x e:until ?until } FILTER (!BOUND(?from) || ?from <= ?asOf) FILTER (!BOUND(?until) || "
        "?asOf < ?until) } }"
    ),
    "a day that is computed": (
        'SELECT $this ?value WHERE { ?e d:asOf ?asOf . $this e:from ?value . BIND (?value + '
        '"P1D"^^xsd:dayTimeDuration AS ?due) '
        "FILTER (?due <= ?asOf) FILTER NOT EXISTS { $this e:until ?done FILTER (?done <= ?due) } }"
    ),
    "a day computed in the comparison": (
        'SELECT $this ?value WHERE { ?e d:asOf ?asOf . $this e:from ?value FILTER (?asOf > ?value + '
        '"P2D"^^xsd:dayTimeDuration) }'
    ),
    "a default day": (
        'SELECT $this WHERE { ?e d:asOf ?asOf . $this a e:T OPTIONAL { $this e:until ?u } '
        'FILTER (COALESCE(?u, "2026-01-04"^^xsd:date) < ?asOf) }'
    ),
    "the day in branches": (
        "SELECT $this ?value WHERE { ?e d:asOf ?asOf . { $this e:from ?value } UNION { $this e:until ?value "
        "} FILTER (?value = ?asOf) }"
    ),
    "the day within an inner exists": (
        "SELECT $this WHERE { ?e d:asOf ?asOf . $this a e:T FILTER NOT EXISTS { $this e:p ?x "
        "FILTER NOT EXISTS { ?x e:until ?until FILTER (?until <= ?asOf) } } }"
    ),
    "the latest day": (
        "SELECT $this ?value WHERE { ?e d:asOf ?asOf . { SELECT $this (MAX(?from) AS ?value) WHERE { $this "
        "e:from ?from } "
        "GROUP BY $this } FILTER (?value < ?asOf) }"
    ),
}  # fmt: skip

NODES: Final = tuple(ox.NamedNode(E + name) for name in "abcd")
FIRST: Final = date(2026, 1, 1)
DAYS: Final = tuple(FIRST + timedelta(days=number) for number in range(8))


def _node(name: str) -> ox.NamedNode:
    return ox.NamedNode(E + name)


def _day(day: date) -> ox.Literal:
    return ox.Literal(day.isoformat(), datatype=ox.NamedNode(XSD.date))


_LIST: Final = (
    ox.Triple(NODES[0], _node("list"), _node("l1")),
    ox.Triple(_node("l1"), ox.NamedNode(RDF.NS + "first"), NODES[1]),
    ox.Triple(_node("l1"), ox.NamedNode(RDF.NS + "rest"), _node("l2")),
    ox.Triple(_node("l2"), ox.NamedNode(RDF.NS + "first"), NODES[2]),
    ox.Triple(_node("l2"), ox.NamedNode(RDF.NS + "rest"), ox.NamedNode(RDF.NS + "nil")),
)
#: what may be said: few nodes, so that much of it joins
_SAID: Final = (
    *(ox.Triple(one, _node(link), other) for link in "pq" for one in NODES for other in NODES),
    *(ox.Triple(node, ox.NamedNode(RDF.type), _node("T")) for _ in range(3) for node in NODES),
    *(ox.Triple(node, _node("n"), ox.Literal(number)) for node in NODES for number in range(1, 5)),
    *(ox.Triple(node, _node(end), _day(day)) for node in NODES for end in ("from", "until") for day in DAYS[2:6]),
    ox.Triple(NODES[1], _node("p.q"), NODES[2]),
    _LIST[0],
)

triples = st.sampled_from(_SAID)
graphs = st.frozensets(triples, min_size=12, max_size=45).map(lambda said: said | frozenset(_LIST[1:]))
