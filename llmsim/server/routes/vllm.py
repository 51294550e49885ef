"""vLLM's own paths, which are there as long as it serves a model: ``/tokenize``, ``/detokenize``
and ``/version``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.engine.compose import ModelSettings
from llmsim.engine.tokens import chat_template
from llmsim.providers.openai.vllm import errors, tokens
from llmsim.providers.openai.vllm.tokens import DetokenizeRequest, TokenizeRequest
from llmsim.runtime.holder import ConfigHolder
from llmsim.server.pipeline_state import by_size
from llmsim.server.refusals import unlogged_stamp
from llmsim.server.router import Router
from llmsim.server.services import Services

VERSION = b'{"version":"0.11.0"}'
"""The vLLM that has both ``structured_outputs`` and the older ``guided_*``."""

Answer = Callable[[Request], Awaitable[bytes]]


def add(router: Router, services: Services) -> None:
    """The paths."""
    holder = services.holder

    async def tokenize(request: Request) -> bytes:
        body = await request.body()
        wire = await by_size(len(body), tokens.tokenize_request, body)
        settings = await _settings(holder, wire.model)
        return await by_size(len(body), _tokenized, wire, settings)

    async def detokenize(request: Request) -> bytes:
        body = await request.body()
        wire = await by_size(len(body), tokens.detokenize_request, body)
        settings = await _settings(holder, wire.model)
        return await by_size(len(body), _detokenized, wire, settings)

    async def version(request: Request) -> bytes:
        return VERSION

    def there() -> bool:
        return bool(holder.runtime.config.models.servers)

    router.cold += [
        _VLLMRoute("/tokenize", "POST", tokenize, there),
        _VLLMRoute("/detokenize", "POST", detokenize, there),
        _VLLMRoute("/version", "GET", version, there),
    ]


class _VLLMRoute(Route):
    """A path that is answered in vLLM's form as long as it is ``there``."""

    def __init__(self, path: str, method: str, answer: Answer, there: Callable[[], bool]) -> None:
        async def handler(request: Request) -> Response:
            status = 200
            try:
                body = await answer(request)
            except BadRequest as bad:
                status, body = errors.failure(bad.failure)
            head = dict(errors.FORMAT.headers(unlogged_stamp()))
            return Response(body, status, head)

        super().__init__(path, handler, methods=[method])
        self._there = there

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if self._there() else (Match.NONE, {})


async def _settings(holder: ConfigHolder, name: str | None) -> ModelSettings:
    """Those of a model that vLLM serves, of the first one where none is named. Raises
    BadRequest."""
    runtime = holder.runtime
    models = runtime.config.models
    if name is None:
        listed = (one.id for one in runtime.registry.listed() if one.server == "vllm")
        named = (pattern for pattern, _ in models.servers if not set(pattern) & set("*?["))
        name = next(listed, None) or next(named, None)
        if name is None:
            raise invalid("Which model is meant has to be said in 'model'.", "model")
    if models.server(name) != "vllm":
        raise BadRequest(Failure(FailureKind.MODEL_NOT_FOUND, "", model=name))
    return await runtime.pipeline.settings(name)


def _tokenized(wire: TokenizeRequest, settings: ModelSettings) -> bytes:
    tokenizer = settings.tokenizer
    if wire.prompt is not None:
        ids = tokenizer.ids(wire.prompt)
    else:
        primed, open_end = wire.add_generation_prompt, wire.continue_final_message
        ids = chat_template.rendered(wire.conversation(), tokenizer, primed, open_end)
    strings = chat_template.texts(ids, tokenizer) if wire.return_token_strs else None
    return tokens.tokenized(ids, strings, settings.model.context_window)


def _detokenized(wire: DetokenizeRequest, settings: ModelSettings) -> bytes:
    try:
        return tokens.detokenized(chat_template.text(wire.tokens, settings.tokenizer))
    except ValueError as error:
        raise invalid(f"Invalid token: {error}.", "tokens") from None
