"""Check data against SHACL shapes where the data is: shapes become queries over a whole store, or walks from one node.

Read it in this order:

1. ``paths`` and ``shapes``: what a shape says, as plain facts, and what a check gives;
2. ``reading``: Turtle in, shapes out; what is not understood is a fault with its shape and place;
3. ``values``: judge one value, with the engine's own comparisons;
4. ``core``: find the faults of all focus nodes at once; ``nodes``: those of one node; both judge by ``values``;
5. ``select`` and ``sparql``: the same for constraints that are written in SPARQL;
6. ``reference``: what neither can run goes to pySHACL, in a process of its own;
7. ``report``: results as the W3C's validation report.

``graph.checking`` puts them together.
"""
