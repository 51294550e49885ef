"""What a provider is: one value with all that is its own on the wire.

A provider's folder makes one :class:`Provider`, and :mod:`llmsim.providers.registry` lists it.
Everything else (routes, API keys, rate limits, errors on unknown paths, metrics, ``llmsim plan``)
finds it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from llmsim.core import Codec, Headers, LimitStatus, Plan, Stamp
from llmsim.core.catalog.models import Model, Vendor
from llmsim.core.errors import Failure

RequestHeader: TypeAlias = Callable[[str], str | None]
"""A request's header by its lower-case name; None if it has none."""

ResponseHeaders: TypeAlias = Callable[[Plan, Stamp], Headers]
"""The response head of an answer, content type included."""

HeaderCheck: TypeAlias = Callable[[RequestHeader], None]
"""Looks at a request's headers. Raises BadRequest for one that is not let in."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Which requests are a provider's.

    Paths under its ``prefixes`` are. Of requests to the paths that providers share, those are
    that call one of its ``verbs`` (``…:VERB``), or have one of its ``headers`` or one of its
    ``parameters`` in the query.
    """

    prefixes: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderAuth:
    """How clients send their API key, and what those get that have no good one.

    ``key`` reads it from a request's headers and query (still encoded), and is empty if there is
    none; ``refusal`` makes the failure for a key that is unknown, or empty. ``headers`` and
    ``parameters`` of the query are all places where a key may be, and must not be kept from.
    """

    key: Callable[[RequestHeader, str], str]
    refusal: Callable[[str], Failure]
    headers: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """How failures look on the wire.

    ``failure`` gives status and body. ``headers`` is the response head of a failure on a path
    that nothing answers, content type included. ``retry`` gives the headers that say when to try
    again, in seconds from now, ``named`` those that say what failed.
    """

    failure: Callable[[Failure, Stamp], tuple[int, bytes]]
    headers: Callable[[Stamp], Headers]
    retry: Callable[[float], Headers]
    named: Callable[[Failure], Headers] | None = None

    def refusal(self, failure: Failure, stamp: Stamp) -> tuple[int, Headers, bytes]:
        """Status, head and body of a failure on a path that nothing answers."""
        status, body = self.failure(failure, stamp)
        named = [] if self.named is None else self.named(failure)
        return status, [*self.headers(stamp), *named], body


class LimitHeaders(Protocol):
    """The rate-limit headers of a response at ``now``, a Unix time in seconds."""

    def __call__(self, statuses: Sequence[LimitStatus], now: float, /) -> Headers: ...


HostedLimits: TypeAlias = Callable[[int], Headers]
"""The rate-limit headers of the hosted service at a Unix time, in a generous tier of which nothing
is used."""


def no_limits(now: int) -> Headers:
    """Of a service that says nothing of its limits."""
    return []


class ModelPage(Protocol):
    """The body of a listing, or of the page of it that the query asks for. Raises BadRequest."""

    def __call__(
        self, models: Sequence[Model], query: Mapping[str, list[str]], strict: bool, /
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ModelListing:
    """``GET`` of each of ``paths`` lists the models, and of ``PATH/{id}`` describes one.

    ``headers`` is the response head but for its content type. ``vendor`` leaves the models of
    others out of the listing; None shows all.
    """

    paths: tuple[str, ...]
    page: ModelPage
    one: Callable[[Model], bytes]
    headers: Callable[[Stamp], Headers]
    vendor: Vendor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """What answers requests to some paths: one codec.

    ``name`` is what statistics, mocks and logs call it. ``paths`` take ``POST``; an endpoint
    without any is reached by an :class:`EndpointPattern`, or by name alone. ``shared`` are paths of
    another provider's, where the request says that it is for this one. ``header_check``
    looks at the headers of each request before its body is decoded. ``streaming`` answers in its
    place where that is not in the path and the body asks for a stream.
    """

    name: str
    codec: Codec
    provider: Provider
    paths: tuple[str, ...]
    errors: ErrorFormat
    headers: ResponseHeaders
    header_check: HeaderCheck | None = None
    streaming: Endpoint | None = None
    shared: tuple[str, ...] = ()

    def echoing(self, header: RequestHeader) -> Endpoint:
        """The endpoint for a request with headers that its response repeats."""
        echoed = [(name, v) for name in self.provider.echoed if (v := header(name)) is not None]
        if not echoed:
            return self
        names = {name for name, _ in echoed}

        def headers(plan: Plan, stamp: Stamp) -> Headers:
            return [pair for pair in self.headers(plan, stamp) if pair[0] not in names] + echoed

        return replace(self, headers=headers)


class NamedEndpoint(Protocol):
    """The endpoint for a path and its query, of a server that is strict or is not."""

    def __call__(self, path: str, query: str, strict: bool = False, /) -> Endpoint: ...


@dataclass(frozen=True, slots=True)
class EndpointPattern:
    """Endpoints whose paths have a name in them, such as a model's.

    ``matches`` says whether a path, which may be percent-encoded, is one of theirs; ``endpoint``
    gives the endpoint for such a path and its query. Both are asked at every request.
    """

    matches: Callable[[str], bool]
    endpoint: NamedEndpoint


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's API.

    ``endpoints`` makes all its endpoints, for a server that is strict (refuses all that the live
    service refuses) or is not. ``headers`` is the response head of its answers and
    ``limit_headers`` what a caller is told of the rate limits, ``hosted_limits`` of those of the
    real service where none are configured. ``echoed`` are headers of a request that its response
    repeats. Where ``pattern_only`` all paths have names in them, and no codec is loaded before the
    first request.
    """

    name: str
    claims: Claims
    auth: ProviderAuth
    errors: ErrorFormat
    headers: ResponseHeaders
    limit_headers: LimitHeaders
    endpoints: Callable[[bool], Sequence[Endpoint]]
    pattern: EndpointPattern | None = None
    models: ModelListing | None = None
    hosted_limits: HostedLimits = no_limits
    echoed: tuple[str, ...] = ()
    pattern_only: bool = False

    def endpoint(
        self,
        name: str,
        codec: Codec,
        paths: tuple[str, ...] = (),
        errors: ErrorFormat | None = None,
        headers: ResponseHeaders | None = None,
        header_check: HeaderCheck | None = None,
        shared: tuple[str, ...] = (),
    ) -> Endpoint:
        """An endpoint with the provider's own errors and headers where it has no others."""
        return Endpoint(
            name,
            codec,
            self,
            paths,
            errors or self.errors,
            headers or self.headers,
            header_check,
            shared=shared,
        )
