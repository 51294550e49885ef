"""OpenAI's assistants (``types.beta``): assistants, threads, messages, runs and their steps.

Their maker has shut the service down, but SDKs still have every method, and others serve it.

Read in this order: ``params`` (the requests), ``objects`` (what is created as it is asked for),
``conversion`` (a run as a request in neutral terms), ``runs`` (a run as it is stored, and as it is
shown at any time), ``steps`` (what a run does, from its completion), ``codec`` (the answer), with
``events`` (the stream).
"""
