"""Strict validation: each rule refuses what breaks it, and nothing else; fields are the API's."""

from typing import Any

import orjson
import pytest

from llmsim.core import Codec, Completion, Request, Stamp
from llmsim.core.errors import BadRequest
from llmsim.providers.anthropic.messages import strict as anthropic
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicCount
from llmsim.providers.gemini import embeddings as gemini_embeddings
from llmsim.providers.gemini import strict as gemini
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.embeddings import GeminiEmbed
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.openai import embeddings, moderations
from llmsim.providers.openai.assistants import strict as assistants
from llmsim.providers.openai.assistants.params import assistant_fields
from llmsim.providers.openai.chat import strict as chat
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions import strict as completions
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.embeddings import OpenAIEmbeddings
from llmsim.providers.openai.images import strict as images
from llmsim.providers.openai.images.codec import OpenAIImages
from llmsim.providers.openai.moderations import OpenAIModerations
from llmsim.providers.openai.responses import strict as responses
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.rules import Rules
from tests.providers import strict_rules
from tests.providers.strict_rules import GEMINI_3, HI, USER, Example


class Pictures(OpenAIImages):
    """Pictures of a prompt."""

    def __init__(self, strict: bool = False) -> None:
        super().__init__("generations", lambda canvas: "", strict)


class Assistant:
    """A new assistant, read as a codec reads a request."""

    name = "openai_assistant_create"

    def __init__(self, strict: bool = False) -> None:
        self._read = assistants.checked(assistant_fields, self.name, strict)

    def decode(self, body: bytes) -> Request:
        self._read(body, True)
        return Request("", ())

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        return b""


TAKEN: dict[type, dict[str, Any]] = {
    Anthropic: {"model": "claude-sonnet-4-5", "max_tokens": 16, "messages": [HI]},
    AnthropicCount: {"model": "claude-sonnet-4-5", "messages": [HI]},
    OpenAIChat: {"model": "gpt-4o", "messages": [HI]},
    OpenAIResponses: {"model": "gpt-4o", "input": "Hi"},
    OpenAICompletions: {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
    OpenAIEmbeddings: {"model": "text-embedding-3-small", "input": "Hi"},
    OpenAIModerations: {"input": "Hi"},
    Pictures: {"model": "gpt-image-2", "prompt": "Hi"},
    Assistant: {"model": "gpt-4o"},
    GeminiEmbed: {"model": "gemini-embedding-001", "content": USER},
    Gemini: {"model": "gemini-2.5-flash", "contents": [USER]},
    GeminiCount: {"generateContentRequest": {"model": "gemini-2.5-flash", "contents": [USER]}},
}
TABLES: dict[type, tuple[Rules[Any], list[Example]]] = {
    Anthropic: (anthropic.RULES, strict_rules.ANTHROPIC),
    OpenAIChat: (chat.RULES, strict_rules.CHAT),
    OpenAIResponses: (responses.RULES, strict_rules.RESPONSES),
    OpenAICompletions: (completions.RULES, strict_rules.COMPLETIONS),
    OpenAIEmbeddings: (embeddings.RULES, strict_rules.EMBEDDINGS),
    OpenAIModerations: (moderations.RULES, strict_rules.MODERATIONS),
    Pictures: (images.RULES, strict_rules.IMAGES),
    Assistant: (assistants.RULES, strict_rules.ASSISTANTS),
    GeminiEmbed: (gemini_embeddings.RULES, strict_rules.EMBED),
    Gemini: (gemini.RULES, strict_rules.GEMINI),
}


def body(kind: type, fields: dict[str, Any]) -> bytes:
    sent = {**TAKEN[kind], **fields}
    return orjson.dumps({name: value for name, value in sent.items() if value is not ...})


def refusal(kind: type, fields: dict[str, Any]) -> str:
    codec: Codec = kind(strict=True)
    with pytest.raises(BadRequest) as caught:
        codec.decode(body(kind, fields))
    return caught.value.failure.message


@pytest.mark.parametrize("kind", TAKEN)
def test_a_plain_request_is_taken(kind: type) -> None:
    kind(strict=True).decode(body(kind, {}))


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        pytest.param(kind, example, id=f"{kind.__name__}-{example.rule}")
        for kind, (_, examples) in TABLES.items()
        for example in examples
    ],
)
def test_a_rule_refuses_what_breaks_it(kind: type, example: Example) -> None:
    kind().decode(body(kind, example.fields))
    assert example.words in refusal(kind, example.fields)


@pytest.mark.parametrize("kind", TABLES)
def test_every_rule_has_an_example(kind: type) -> None:
    rules, examples = TABLES[kind]
    assert {rule.id for rule in rules.rows} == {example.rule for example in examples}


CACHED = {"type": "text", "text": "x"}
EMPTY_THOUGHT = {"text": "", "thought": True}
SIGNED = {"type": "thinking", "thinking": "x", "signature": "EsAB"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Anthropic, {"temperature": 0.3}),
        (Anthropic, {"top_p": 0.3}),
        (Anthropic, {"model": "claude-opus-4-7", "temperature": 1.0}),
        (Anthropic, {"model": "claude-3-5-haiku-20241022", "temperature": 0.3, "top_p": 0.3}),
        (Anthropic, {"model": "claude-opus-4-6", "thinking": {"type": "adaptive"}}),
        (Anthropic, {"model": "claude-opus-4-5", "output_config": {"effort": "low"}}),
        (Anthropic, {**strict_rules.THINKING, **strict_rules.anthropic_turns("t", SIGNED)}),
        (Anthropic, {**strict_rules.THINKING, **strict_rules.said({"type": "text", "text": "x"})}),
        (Anthropic, strict_rules.said({"type": "text", "text": "Sure,"}, then=False)),
        (
            Anthropic,
            {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
        ),
        (Anthropic, strict_rules.anthropic_tool(properties={"a": {"anyOf": [{"type": "string"}]}})),
        (OpenAIChat, {"model": "deepseek-reasoner", "max_tokens": 8192, "top_k": 3}),
        (OpenAIChat, {"model": "gpt-4.1", "stop": ["x"], "temperature": 0.1}),
        (OpenAIChat, {"model": "gpt-5", "reasoning_effort": "minimal"}),
        (OpenAIChat, {"model": "gpt-5.1", "reasoning_effort": "none"}),
        (OpenAIChat, strict_rules.chat_calls("a", "b")),
        (OpenAIChat, strict_rules.chat_calls("a", annotations=[], refusal=None)),
        (OpenAIChat, {"service_tier": "auto"}),
        (
            OpenAIChat,
            {
                "model": "deepseek-chat",
                "thinking": {"type": "enabled"},
                **strict_rules.chat_calls("a", reasoning_content="hm"),
            },
        ),
        (OpenAIResponses, {"reasoning": {"effort": "low"}, "model": "gpt-5"}),
        (
            OpenAIResponses,
            strict_rules.items(
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
            ),
        ),
        (Gemini, strict_rules.gemini_call()),
        (
            Gemini,
            {
                "model": GEMINI_3,
                **strict_rules.gemini_call(thoughtSignature="AAAA"),
            },
        ),
        (
            Gemini,
            {
                "model": GEMINI_3,
                **strict_rules.gemini_call(thoughtSignature="skip_thought_signature_validator"),
            },
        ),
        (
            Gemini,
            {"contents": [USER, {"role": "model", "parts": [{"text": "", "thought": True}]}, USER]},
        ),
        (Gemini, strict_rules.thought(thinkingBudget=0)),
        (Gemini, {"generation_config": {"max_output_tokens": 5, "stopSequences": ["x"]}}),
        (
            Gemini,
            strict_rules.gemini_tool("f", properties={"a_b": {"any_of": [{"type": "STRING"}]}}),
        ),
    ],
)
def test_what_the_provider_takes_is_taken(kind: type, fields: dict[str, Any]) -> None:
    kind(strict=True).decode(body(kind, fields))


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (Anthropic, {"response_format": {}}, "response_format: Extra inputs are not permitted"),
        (
            Anthropic,
            {"messages": [{**HI, "reasoning_details": []}]},
            "messages.0.reasoning_details: Extra inputs are not permitted",
        ),
        (
            Anthropic,
            strict_rules.blocks({"type": "text", "text": "x", "index": 0}),
            "messages.0.content.0.text.index: Extra inputs are not permitted",
        ),
        (
            Anthropic,
            {"tools": [{"name": "f", "input_schema": {"type": "object"}, "parameters": {}}]},
            "tools.0.custom.parameters: Extra inputs are not permitted",
        ),
        (
            Anthropic,
            {
                "system": [
                    {
                        "type": "text",
                        "text": "x",
                        "cache_control": {"type": "ephemeral", "scope": 1},
                    }
                ]
            },
            "system.0.cache_control.ephemeral.scope: Extra inputs are not permitted",
        ),
        (AnthropicCount, {"max_tokens": 5}, "max_tokens: Extra inputs are not permitted"),
        (OpenAIChat, {"reasoning": {}}, "Unknown parameter: 'reasoning'."),
        (
            OpenAIChat,
            {"messages": [{**HI, "cache_control": {}}]},
            "Unknown parameter: 'messages[0].cache_control'.",
        ),
        (
            OpenAIChat,
            {"tools": [{**strict_rules.FUNCTION, "cache_control": {}}]},
            "Unknown parameter: 'tools[0].cache_control'.",
        ),
        (
            OpenAIChat,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "y": 1}]}]},
            "Unknown parameter: 'messages[0].content[0].y'.",
        ),
        (
            OpenAIResponses,
            {"model": "gpt-5", "reasoning": {"effort": "low", "max_tokens": 9}},
            "Unknown parameter: 'reasoning.max_tokens'.",
        ),
        (OpenAIResponses, {"messages": []}, "Unknown parameter: 'messages'."),
        (OpenAIResponses, {"generate": True}, "Unknown parameter: 'generate'."),
        (
            OpenAIResponses,
            strict_rules.items({**HI, "index": 1}),
            "Unknown parameter: 'input[1].index'.",
        ),
        (OpenAICompletions, {"messages": []}, "Unknown parameter: 'messages'."),
        (OpenAIEmbeddings, {"input_type": "query"}, "Unknown parameter: 'input_type'."),
        (OpenAIModerations, {"user": "x"}, "Unknown parameter: 'user'."),
        (Pictures, {"style_preset": "x"}, "Unknown parameter: 'style_preset'."),
        (Assistant, {"file_ids": []}, "Unknown parameter: 'file_ids'."),
        (
            Assistant,
            {"tool_resources": {"file_search": {"vector_store": "x"}}},
            "Unknown parameter: 'tool_resources.file_search.vector_store'.",
        ),
        (GeminiEmbed, {"contents": []}, 'Unknown name "contents": Cannot find field.'),
        (
            Gemini,
            {"thinking": 1, "tool_config": {"x": 1}},
            'Unknown name "thinking": Cannot find field.\n'
            "Invalid JSON payload received. "
            "Unknown name \"x\" at 'tool_config': Cannot find field.",
        ),
        (
            Gemini,
            strict_rules.gemini_tool("f", properties={"a": {}, "b": {"anyOf": [{"const": 1}]}}),
            'Invalid JSON payload received. Unknown name "const" at '
            "'tools[0].function_declarations[0].parameters.properties[1].value.any_of[0]': "
            "Cannot find field.",
        ),
        (
            Gemini,
            strict_rules.gemini_tool("f", additionalProperties=False),
            'Unknown name "additionalProperties" at '
            "'tools[0].function_declarations[0].parameters': Cannot find field.",
        ),
        (
            Gemini,
            strict_rules.gemini_tool("f", properties={"a": {"type": ["string", "null"]}}),
            'Unknown name "type" at '
            "'tools[0].function_declarations[0].parameters.properties[0].value': "
            "Proto field is not repeating, cannot start list.",
        ),
        (GeminiCount, {"systemInstruction": USER}, 'Unknown name "systemInstruction": Cannot find'),
    ],
)
def test_a_field_that_the_provider_has_not_is_refused(
    kind: type, fields: dict[str, Any], words: str
) -> None:
    assert words in refusal(kind, fields)


def test_messages_of_a_websocket_have_fields_of_their_own() -> None:
    sent = body(OpenAIResponses, {"type": "response.create", "generate": True, "stream_id": "s"})
    OpenAIResponses(strict=True, live=True).decode(sent)
