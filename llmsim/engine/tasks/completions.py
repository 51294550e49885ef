"""Legacy completions: several prompts are as many requests, answered in one completion."""

from __future__ import annotations

from msgspec.structs import replace

from llmsim.core import Choice, Complete, Completion, GeneratedText, Message, Request, Usage
from llmsim.engine import answer_size
from llmsim.engine.compose import ModelSettings, PlanInputs, compose
from llmsim.engine.logprobs import with_logprobs
from llmsim.engine.seeds import mix
from llmsim.engine.tokens import prompt, prompt_bounds
from llmsim.engine.tokens.tokenizer import Tokenizer

# Salts a request's seed for its prompts, and a prompt's for its own log probabilities.
PROMPT = 2000
ITSELF = 70


def complete(
    request: Request, task: Complete, settings: ModelSettings, inputs: PlanInputs
) -> Completion:
    """Choices for each prompt, one prompt after another.

    No choice is better than another, so the first of those that were tried are taken; all of
    them count as completion tokens. Raises BadRequest when a prompt and its completion do not
    fit the context window.
    """
    choices: list[Choice] = []
    prompted = completion = size = 0
    for index, message in enumerate(request.messages):
        text = prompt.text(message, settings.tokenizer)
        seed = mix(inputs.seed, PROMPT + index)
        count = prompt_bounds.alone(message, settings.tokenizer, settings.model.context_window)
        count += settings.tokenizer.count(task.suffix)
        one = replace(
            request, messages=(Message("user", text),), n=max(request.n, task.best_of), task=None
        )
        own = replace(inputs, seed=seed, turn=inputs.turn + index, prompt_tokens=count)
        completed = compose(one, settings, own)
        size += sum(answer_size.of_choice(choice, request) for choice in completed.choices)
        answer_size.check(size, inputs.most_bytes)
        chosen = completed.choices[: request.n]
        if task.prompted:
            size += request.n * (len(text) + answer_size.of_logprobs(count, request))
            answer_size.check(size, inputs.most_bytes)
            prefix = _prompt(text, request.logprobs, settings.tokenizer, mix(seed, ITSELF))
            chosen = tuple(replace(choice, prompt=prefix) for choice in chosen)
        choices += chosen
        prompted += count
        completion += completed.usage.completion
    return Completion(tuple(choices), Usage(prompted, completion))


def _prompt(text: str, top: int | None, tokenizer: Tokenizer, seed: int) -> GeneratedText:
    generated = tokenizer.text(text, pieces=False)
    if top is None:
        return generated
    return with_logprobs(generated, top, tokenizer, seed)
