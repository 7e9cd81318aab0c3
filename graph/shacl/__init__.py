"""Check data against SHACL shapes where the data is: shapes become queries over a whole store, or walks from one node.

Read it in this order:

1. ``paths`` and ``shapes``: what a shape says, as plain facts, and what a check gives;
2. ``triples``, ``components``, ``reading``: Turtle in, shapes out; what is not understood is a fault with its place;
3. ``forms`` and ``written``: literals as a register keeps them, or as a file has them;
4. ``values``: judge one value, with the engine's own comparisons;
5. ``focus`` and ``core``: find the faults of all focus nodes at once; ``nodes``: those of one node, to the letter;
   ``triggers``: which changes can alter them;
6. ``text``, ``query``, ``select``: a SPARQL body read into its parts; ``pieces``, ``circles``, ``sparql``: run where
   the data is; ``days``, ``boundaries``, ``links``: on which days and after which changes its outcome can differ;
7. ``reference`` and ``independent``: what none of these can run goes to pySHACL, in a process of its own;
8. ``saying`` and ``report``: results in words, and as the W3C's validation report.

``graph.checking`` puts them together.
"""
