"""How long a recorded prompt is, where the service did not say."""

from __future__ import annotations

from llmsim.core.catalog.models import resolve
from llmsim.core.errors import BadRequest
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.recordings.matching.endpoints import codec
from llmsim.recordings.recording import Recording


def prompt_tokens(recording: Recording) -> int:
    """The tokens of the recorded request as llmsim counts them; 0 for one that it cannot read."""
    request = recording.request
    found = codec(recording.provider, request.path, request.query)
    if found is None:
        return 0
    try:
        asked = found.decode(request.body.content)
    except BadRequest:
        return 0
    return prompt.tokens(asked, tokenizer(resolve(recording.model).encoding))
