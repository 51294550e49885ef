"""AWS Bedrock as a provider."""

from __future__ import annotations

from functools import lru_cache

from llmsim.core import Codec, Headers
from llmsim.providers.bedrock import auth, errors
from llmsim.providers.bedrock.calls import PREFIX, REMEMBERED, BedrockCall, Operation, bedrock_call
from llmsim.providers.provider import Claims, Endpoint, EndpointPattern, Provider, ProviderAuth


def endpoints(strict: bool) -> list[Endpoint]:
    """For bodies that name their model themselves; all paths have it in them."""
    from llmsim.providers.bedrock.invoke import TitanEmbeddings  # noqa: PLC0415  as below

    calls: tuple[Operation, ...] = ("converse", "invoke", "count-tokens")
    made = [_endpoint(BedrockCall(None, operation), strict) for operation in calls]
    return [*made, BEDROCK.endpoint(f"{PREFIX}invoke", TitanEmbeddings(), headers=errors.head)]


@lru_cache(maxsize=REMEMBERED)
def _endpoint(call: BedrockCall, strict: bool) -> Endpoint:
    invoked = call.operation.startswith("invoke")
    return BEDROCK.endpoint(
        PREFIX + call.operation,
        _codec(call, strict),
        headers=errors.invoke_head if invoked else errors.head,
    )


def _codec(call: BedrockCall, strict: bool) -> Codec:
    # Imported when they are first asked for: a server whose clients use none of it starts sooner.
    from llmsim.providers.bedrock.converse import BedrockConverse, BedrockCount  # noqa: PLC0415
    from llmsim.providers.bedrock.invoke import BedrockInvoke, TitanEmbeddings  # noqa: PLC0415

    model = call.model
    stream = None if model is None else call.operation.endswith("stream")
    match call.operation:
        case "converse" | "converse-stream":
            return BedrockConverse(model, stream, strict)
        case "count-tokens":
            return BedrockCount(model)
        case "invoke" if call.embeds:
            return TitanEmbeddings(model)
        case _:
            return BedrockInvoke(model, stream, strict)


def _matches(path: str) -> bool:
    return path.startswith(PREFIX) and bedrock_call(path) is not None


def _named(path: str, query: str, strict: bool = False) -> Endpoint:
    call = bedrock_call(path)
    assert call is not None  # it matched
    return _endpoint(call, strict)


def _no_limits(statuses: object, now: float) -> Headers:
    """Bedrock's heads say nothing of limits."""
    return []


BEDROCK = Provider(
    name="bedrock",
    claims=Claims(prefixes=(PREFIX,)),
    auth=ProviderAuth(auth.key, auth.refusal, auth.HEADERS, auth.PARAMETERS),
    errors=errors.FORMAT,
    headers=errors.head,
    limit_headers=_no_limits,
    endpoints=endpoints,
    pattern=EndpointPattern(_matches, _named),
    pattern_only=True,
)
