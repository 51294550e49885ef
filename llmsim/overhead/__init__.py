"""What a gateway costs: requests through it and past it in turn, each joined with llmsim's journal.

In the order to read: ``settings`` is what a run can choose, ``dialects`` what is asked and how its
answers are read, ``http1`` and ``load_client`` send and receive, ``sse`` finds events and when they
came, ``answers`` says what an answer was, ``journal`` reads what llmsim remembers, ``joining``
brings both together, ``splits`` divides a request's time in three, ``figures`` are percentiles with
their uncertainty, ``frames`` compares bytes, ``run`` takes turns and ``ramp`` steps to the knee,
``report`` is the result, ``text`` and ``page`` show it.
"""
