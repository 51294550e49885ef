"""The request of a recording, as it is compared with others."""

from __future__ import annotations

from collections.abc import Callable

from llmsim.recordings.matching.canonical import Canonical, KeyFields, canonical, unchanged
from llmsim.recordings.matching.endpoints import codec_name
from llmsim.recordings.recording import Recording


def recorded_request(
    recording: Recording,
    fields: KeyFields = KeyFields(),  # noqa: B008  immutable
    kinds: Callable[[str], str] = unchanged,
) -> Canonical:
    """What the recorded answer depends on: see
    :func:`~llmsim.recordings.matching.canonical.canonical`."""
    request = recording.request
    codec = codec_name(recording.provider, request.path, request.query)
    content = request.body.content
    return canonical(recording.provider, codec, recording.model, content, fields, kinds)
