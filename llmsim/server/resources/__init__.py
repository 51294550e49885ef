"""What the server stores for its clients, one module a resource.

Read :mod:`~llmsim.server.resources.conversations` first: it is all in the store. Responses, chat
completions and threads are in the journal, where any worker finds an answer by its id; what
changed since is in the store (:mod:`~llmsim.server.resources.response_archive`,
:mod:`~llmsim.server.resources.stored_completions`, :mod:`~llmsim.server.resources.threads`).
:mod:`~llmsim.server.resources.responses` builds requests on earlier ones, over HTTP and over a
WebSocket (:mod:`~llmsim.server.resources.responses_socket`).

Assistants (:mod:`~llmsim.server.resources.assistants`), their threads
(:mod:`~llmsim.server.resources.assistant_threads`) and runs
(:mod:`~llmsim.server.resources.assistant_runs`, with
:mod:`~llmsim.server.resources.run_streams`) are all in the store; how a run stands follows from its
plan and the clock (:mod:`llmsim.core.progress`).
"""
