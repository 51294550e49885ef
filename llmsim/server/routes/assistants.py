"""Assistants, threads, messages, runs and their steps, under all of OpenAI's prefixes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.pipeline.context import EndpointMemory
from llmsim.providers.azure.calls import PREFIX as AZURE_PREFIX
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai import lists
from llmsim.providers.openai.assistants import params
from llmsim.providers.openai.assistants.codec import RunCodec, read_outputs, read_run
from llmsim.providers.openai.assistants.strict import checked
from llmsim.providers.openai.lists import Paging
from llmsim.providers.openai.provider import PREFIXES, runs_endpoint
from llmsim.providers.provider import Endpoint
from llmsim.server.refusals import unlogged_stamp
from llmsim.server.resources.assistant_runs import AssistantRuns, NewRun, SubmittedOutputs
from llmsim.server.resources.assistant_threads import AssistantThreads
from llmsim.server.resources.assistants import Assistants
from llmsim.server.resources.run_streams import RunStreams
from llmsim.server.router import Handler, PatternRoute, Router
from llmsim.server.routes.request_body import read_body
from llmsim.server.services import Services
from llmsim.transport.port import Port

T = TypeVar("T")

Answer: TypeAlias = Callable[[Request], Awaitable[bytes | tuple[bytes, int | None]]]
"""A body, and with it after how many milliseconds to look again where that matters."""

CONTENTS = "step_details.tool_calls[*].file_search.results[*].content"


def add(router: Router, services: Services) -> None:
    """Everything under ``…/assistants`` and ``…/threads``; nothing where they are gone."""
    config = services.config
    if config.openai.assistants == "gone":
        return
    store, most = services.store, config.store.max_threads
    threads = AssistantThreads(store, most)
    streams = RunStreams(store, services.shared.segment)
    runs = AssistantRuns(
        store,
        most,
        config.assistants.tool_timeout,
        services.handler.settings,
        streams=streams,
    )
    strict = config.validation == "strict"
    routes = ColdRoutes(strict)
    begin = _endpoint(checked(read_run, "openai_thread_run", strict), strict)
    create = _endpoint(checked(read_run, "openai_run_create", strict), strict)
    submit = _endpoint(checked(read_outputs, "openai_tool_outputs", strict), strict)
    for prefix in (*PREFIXES, AZURE_PREFIX):
        routes.add_assistants(f"{prefix}/assistants", Assistants(store))
        routes.add_threads(f"{prefix}/threads", threads)
        routes.add_runs(f"{prefix}/threads/{{thread}}/runs", runs)
        under = f"{prefix}/threads/"
        router.hot["POST", under + "runs"] = _new_run(services, begin, runs)
        router.patterns.append(
            PatternRoute("POST", partial(_works, under), _working(services, create, submit, runs))
        )
    router.cold += routes.routes


def _endpoint(read: Callable[[bytes], tuple[object, bool]], strict: bool) -> Endpoint:
    check = (lambda header: params.check_header(header(params.HEADER))) if strict else None
    return runs_endpoint(RunCodec(read), check)


def _works(under: str, path: str) -> bool:
    """Whether a path makes a run of a thread work: one for a new run, or for outputs."""
    if not path.startswith(under):
        return False
    parts = path[len(under) :].split("/")
    if not all(parts):
        return False
    return (len(parts) == 2 and parts[1] == "runs") or (
        len(parts) == 4 and parts[1] == "runs" and parts[3] == "submit_tool_outputs"
    )


def _new_run(services: Services, endpoint: Endpoint, runs: AssistantRuns) -> Handler:
    def answer(port: Port) -> Awaitable[None]:
        return services.handler.answer(port, endpoint, NewRun(runs, None))

    return answer


def _working(
    services: Services, create: Endpoint, submit: Endpoint, runs: AssistantRuns
) -> Handler:
    def answer(port: Port) -> Awaitable[None]:
        parts = port.path.split("/")
        memory: EndpointMemory
        if parts[-1] == "runs":
            return services.handler.answer(port, create, NewRun(runs, parts[-2]))
        memory = SubmittedOutputs(runs, parts[-4], parts[-2])
        return services.handler.answer(port, submit, memory)

    return answer


class ColdRoutes:
    """The paths that only look things up and change them. ``strict`` asks for the header that the
    live service asks for, and refuses all that it refuses."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self.routes: list[Route] = []

    def _add(self, template: str, method: str, answer: Answer) -> None:
        async def handler(request: Request) -> Response:
            if self._strict:
                params.check_header(request.headers.get(params.HEADER))
            made = await answer(request)
            body, after = made if isinstance(made, tuple) else (made, None)
            head = dict(openai_errors.identity(unlogged_stamp()))
            if after is not None:
                head["openai-poll-after-ms"] = str(after)
            return Response(body, headers=head, media_type="application/json")

        self.routes.append(Route(template, handler, methods=[method]))

    def _checked(self, read: Callable[..., T], name: str) -> Callable[..., T]:
        return checked(read, f"openai_{name}", self._strict)

    def add_assistants(self, root: str, assistants: Assistants) -> None:
        """``…/assistants``."""
        new = self._checked(params.assistant_fields, "assistant_create")
        changed = self._checked(params.assistant_fields, "assistant_update")

        async def create(request: Request) -> bytes:
            return await assistants.create(await read_body(request, new, True))

        async def update(request: Request) -> bytes:
            members = await read_body(request, changed, False)
            return await assistants.update(request.path_params["id"], members)

        one = root + "/{id}"
        self._add(root, "POST", create)
        self._add(root, "GET", lambda request: assistants.page(_paging(request)))
        self._add(one, "GET", lambda request: assistants.get(request.path_params["id"]))
        self._add(one, "POST", update)
        self._add(one, "DELETE", lambda request: assistants.delete(request.path_params["id"]))

    def add_threads(self, root: str, threads: AssistantThreads) -> None:
        """``…/threads`` and the messages under it."""
        new = self._checked(params.thread_fields, "thread_create")
        changed = self._checked(params.thread_fields, "thread_update")

        async def create(request: Request) -> bytes:
            return await threads.create(await read_body(request, new))

        async def update(request: Request) -> bytes:
            members = await read_body(request, changed)
            return await threads.update(request.path_params["thread"], members)

        one = root + "/{thread}"
        self._add(root, "POST", create)
        self._add(one, "GET", lambda request: threads.get(request.path_params["thread"]))
        self._add(one, "POST", update)
        self._add(one, "DELETE", lambda request: threads.delete(request.path_params["thread"]))
        self._add_messages(one + "/messages", threads)

    def _add_messages(self, root: str, threads: AssistantThreads) -> None:
        new = self._checked(params.message_fields, "thread_message")
        changed = self._checked(params.metadata, "message_update")

        async def create(request: Request) -> bytes:
            members = await read_body(request, new)
            return await threads.add(request.path_params["thread"], members)

        async def page(request: Request) -> bytes:
            run = request.query_params.get("run_id")
            return await threads.page(request.path_params["thread"], _paging(request), run)

        async def update(request: Request) -> bytes:
            metadata = await read_body(request, changed)
            return await threads.update_message(*_ids(request, "thread", "id"), metadata)

        one = root + "/{id}"
        self._add(root, "POST", create)
        self._add(root, "GET", page)
        self._add(one, "GET", lambda request: threads.message(*_ids(request, "thread", "id")))
        self._add(one, "POST", update)
        self._add(
            one, "DELETE", lambda request: threads.delete_message(*_ids(request, "thread", "id"))
        )

    def add_runs(self, root: str, runs: AssistantRuns) -> None:
        """``…/threads/{thread}/runs`` and the steps under it."""
        changed = self._checked(params.metadata, "run_update")

        async def update(request: Request) -> bytes:
            metadata = await read_body(request, changed)
            return await runs.update(*_ids(request, "thread", "id"), metadata)

        async def steps(request: Request) -> bytes:
            ids = _ids(request, "thread", "id")
            return await runs.steps(*ids, _paging(request), _contents(request))

        async def step(request: Request) -> bytes:
            ids = _ids(request, "thread", "id")
            return await runs.step(*ids, request.path_params["step"], _contents(request))

        one = root + "/{id}"
        self._add(
            root, "GET", lambda request: runs.page(request.path_params["thread"], _paging(request))
        )
        self._add(one, "GET", lambda request: runs.get(*_ids(request, "thread", "id")))
        self._add(one, "POST", update)
        self._add(
            one + "/cancel", "POST", lambda request: runs.cancel(*_ids(request, "thread", "id"))
        )
        self._add(one + "/steps", "GET", steps)
        self._add(one + "/steps/{step}", "GET", step)


def _ids(request: Request, first: str, second: str) -> tuple[str, str]:
    return request.path_params[first], request.path_params[second]


def _paging(request: Request) -> Paging:
    return lists.paging(parse_qs(request.url.query))


def _contents(request: Request) -> bool:
    """Whether what a file search found is wanted."""
    query = request.query_params
    return CONTENTS in [*query.getlist("include"), *query.getlist("include[]")]
