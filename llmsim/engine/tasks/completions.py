"""Legacy completions: several prompts are as many asks, answered in one reply."""

from __future__ import annotations

from msgspec.structs import replace

from llmsim.core import Choice, Complete, Completion, GeneratedText, Message, Request, Usage
from llmsim.engine.compose import ModelSettings, PlanInputs, compose
from llmsim.engine.logprobs import logprobs
from llmsim.engine.seeds import mix
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import Tokenizer

# Salts a request's seed for its prompts, and a prompt's for what is said about its own tokens.
PROMPT = 2000
ITSELF = 70


def complete(
    request: Request, task: Complete, settings: ModelSettings, inputs: PlanInputs
) -> Completion:
    """Choices for each prompt, one prompt after another.

    No choice is better than another, so the first of those that were tried are given; all of
    them count as completion tokens. Raises BadRequest when a prompt and its completion do not
    fit the context window.
    """
    choices: list[Choice] = []
    prompted = completion = 0
    for place, message in enumerate(request.messages):
        said = prompt.text(message, settings.tokenizer)
        seed = mix(inputs.seed, PROMPT + place)
        count = prompt.alone(message, settings.tokenizer) + settings.tokenizer.count(task.suffix)
        one = replace(
            request, messages=(Message("user", said),), n=max(request.n, task.best_of), task=None
        )
        reply = compose(
            one, settings, PlanInputs(seed, inputs.turn + place, count, overrides=inputs.overrides)
        )
        chosen = reply.choices[: request.n]
        if task.prompted:
            words = _words(said, request.logprobs, settings.tokenizer, mix(seed, ITSELF))
            chosen = tuple(replace(choice, prompt=words) for choice in chosen)
        choices += chosen
        prompted += count
        completion += reply.usage.completion
    return Completion(tuple(choices), Usage(prompted, completion))


def _words(said: str, top: int | None, tokenizer: Tokenizer, seed: int) -> GeneratedText:
    words = tokenizer.text(said, pieces=False)
    if top is None:
        return words
    return GeneratedText(said, words.tokens, logprobs=logprobs(tokenizer.encode(said), top, seed))
