"""Legacy completions: several prompts are as many asks, answered in one reply."""

from __future__ import annotations

from msgspec.structs import replace

from llmsim.engine import prompt
from llmsim.engine.answer import Draw, Rules, compose
from llmsim.engine.logprobs import logprobs
from llmsim.engine.seeds import mix
from llmsim.engine.tokens import Tokenizer
from llmsim.exchange import Ask, Choice, Complete, Message, Reply, Text, Usage

# Salts a request's seed for its prompts, and a prompt's for what is said about its own tokens.
PROMPT = 2000
ITSELF = 70


def complete(ask: Ask, task: Complete, rules: Rules, draw: Draw) -> Reply:
    """Choices for each prompt, one prompt after another.

    No choice is better than another, so the first of those that were tried are given; all of
    them count as completion tokens. Raises BadRequest when a prompt and its completion do not
    fit the context window.
    """
    choices: list[Choice] = []
    prompted = completion = 0
    for place, message in enumerate(ask.messages):
        said = prompt.text(message, rules.tokenizer)
        seed = mix(draw.seed, PROMPT + place)
        count = prompt.alone(message, rules.tokenizer) + rules.tokenizer.count(task.suffix)
        one = replace(ask, messages=(Message("user", said),), n=max(ask.n, task.best_of), task=None)
        reply = compose(one, rules, Draw(seed, draw.turn + place, count, orders=draw.orders))
        chosen = reply.choices[: ask.n]
        if task.prompted:
            words = _words(said, ask.logprobs, rules.tokenizer, mix(seed, ITSELF))
            chosen = tuple(replace(choice, prompt=words) for choice in chosen)
        choices += chosen
        prompted += count
        completion += reply.usage.completion
    return Reply(tuple(choices), Usage(prompted, completion))


def _words(said: str, top: int | None, tokenizer: Tokenizer, seed: int) -> Text:
    words = tokenizer.text(said, pieces=False)
    if top is None:
        return words
    return Text(said, words.tokens, logprobs=logprobs(tokenizer.encode(said), top, seed))
