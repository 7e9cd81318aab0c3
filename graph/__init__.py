"""Hold the register: who answers for which public data, on any day, and why.

Read it in the order in which data flows:

1. load: ``files`` and ``tables`` read, ``door`` refuses, ``loading`` works out the change, ``journal`` accepts it;
2. store: ``store`` holds the graph, ``projections`` follow the journal, ``history`` keeps what was said before;
3. check: ``standing`` writes every answer down, ``reach`` finds those that a change can alter;
4. answer: ``evidence`` gathers, ``succession`` follows, ``responsibility`` decides, ``answering`` lays the card;
5. show: ``search``, ``queries`` and ``labels`` for ``service``, which shows it.

``terms``, ``errors`` and ``model`` are the words all of them share. A module imports its own layer or a lower one; the
README has the layers.
"""
