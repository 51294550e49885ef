"""What a gateway costs: requests through it and past it in turn, each joined with llmsim's journal.

In the order to read: ``settings`` is what a run can choose, ``dialects`` what is asked and how its
answers are read, ``http1`` and ``load_client`` send and receive, ``answers`` finds the events of an
answer and when they came, ``journal`` reads what llmsim remembers, ``joining`` brings both
together, ``splits`` divides a request's time in three, ``figures`` are percentiles with their
uncertainty, ``frames`` and ``headers`` compare what came, ``run`` takes turns or steps to the knee,
``summary`` and ``report`` are the result, ``text`` and ``page`` show it.
"""
