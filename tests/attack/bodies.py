"""A valid body, with all that it may have in it, for each path that takes one."""

from __future__ import annotations

from typing import Any, NamedTuple

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2, "maxLength": 30, "pattern": "^[a-z]+$"},
        "days": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
        "unit": {"enum": ["c", "f"], "default": "c"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/one"}, "minItems": 1, "maxItems": 3},
        "any": {"anyOf": [{"type": "null"}, {"type": "number"}], "examples": [1]},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
    "propertyOrdering": ["days", "city"],
    "$defs": {"one": {"type": "object", "properties": {"x": {"type": "boolean"}}}},
}
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
FUNCTION = {"name": "weather", "description": "The weather.", "parameters": SCHEMA, "strict": False}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}
TOOL_USE = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "rome", "n": 3}}

CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "name": "joe",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "user", "content": "And tomorrow?"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    "stream": True,
    "stream_options": {"include_usage": True},
    "n": 2,
    "max_completion_tokens": 50,
    "stop": ["zzz"],
    "seed": 7,
    "logit_bias": {"5": 1},
    "metadata": {"a": "b"},
    "temperature": 1,
    "store": True,
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-5",
    "instructions": "Be kind.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "sunny"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
    ],
    "tools": [{"type": "function", **FUNCTION}, {"type": "web_search"}],
    "tool_choice": "auto",
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "metadata": {"a": "b"},
    "max_output_tokens": 50,
    "truncation": "auto",
    "include": ["message.output_text.logprobs"],
    "top_logprobs": 2,
    "store": True,
}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": [TOOL_USE]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [{"type": "text", "text": "sunny"}],
                },
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
            ],
        },
    ],
    "tools": [{"name": "weather", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "stop_sequences": ["zzz"],
    "metadata": {"user_id": "u"},
    "stream": False,
}
CONTENTS: dict[str, Any] = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"n": 3}}}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"name": "weather", "response": {"r": 1}}}],
        },
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
    ],
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
    "tools": [
        {
            "functionDeclarations": [
                {"name": "weather", "parameters": {**SCHEMA, "type": "OBJECT"}, "description": "d"}
            ]
        }
    ],
    "generationConfig": {
        "maxOutputTokens": 50,
        "candidateCount": 2,
        "responseMimeType": "application/json",
        "responseSchema": SCHEMA,
        "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": True},
        "stopSequences": ["zzz"],
        "seed": 7,
    },
}
ITEMS = {"items": [{"type": "message", "role": "user", "content": "Hi"}], "metadata": {"a": "b"}}
MOCK = {"name": "m", "match": {"content_contains": "weather"}, "response": {"content": "{{model}}"}}


class Body(NamedTuple):
    """A valid request."""

    method: str
    path: str
    value: Any


MODEL = "/v1beta/models/gemini-2.5-flash:"
BODIES = (
    Body("POST", "/v1/chat/completions", CHAT),
    Body("POST", "/openai/v1/chat/completions", {"model": "m", "messages": CHAT["messages"]}),
    Body(
        "POST",
        "/v1/chat/completions",
        {
            "model": "gpt-4o:x",
            "messages": [{"role": "user", "content": "Hi"}],
            "functions": [FUNCTION],
            "function_call": {"name": "weather"},
            "logprobs": True,
            "top_logprobs": 3,
        },
    ),
    Body("POST", "/v1/responses", RESPONSES),
    Body("POST", "/v1/responses", {**RESPONSES, "stream": True}),
    Body("POST", "/v1/responses", {"input": "Hi", "background": True, "conversation": "conv_1"}),
    Body("POST", "/v1/responses/input_tokens", RESPONSES),
    Body("POST", "/v1/responses/compact", RESPONSES),
    Body(
        "POST",
        "/v1/completions",
        {
            "model": "gpt-3.5-turbo-instruct",
            "prompt": ["Hi", "there"],
            "best_of": 3,
            "n": 2,
            "echo": True,
            "logprobs": 2,
            "max_tokens": 20,
            "suffix": "!",
            "stop": "z",
        },
    ),
    Body("POST", "/v1/completions", {"model": "m", "prompt": [[1, 2, 3], [4]], "stream": True}),
    Body(
        "POST",
        "/v1/embeddings",
        {"model": "text-embedding-3-small", "input": ["Hi", "there"], "dimensions": 8},
    ),
    Body(
        "POST",
        "/v1/embeddings",
        {"model": "text-embedding-3-small", "input": [1, 2], "encoding_format": "base64"},
    ),
    Body(
        "POST",
        "/v1/moderations",
        {"input": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "kill"}]},
    ),
    Body(
        "POST",
        "/v1/images/generations",
        {"prompt": "a cat", "n": 1, "size": "16x16", "quality": "low", "response_format": "url"},
    ),
    Body("POST", "/v1/conversations", ITEMS),
    Body("POST", "/v1/conversations/conv_1/items", ITEMS),
    Body("POST", "/v1/chat/completions/chatcmpl-1", {"metadata": {"a": "b"}}),
    Body("POST", "/v1/messages", MESSAGES),
    Body("POST", "/anthropic/v1/messages", {**MESSAGES, "stream": True}),
    Body("POST", "/v1/messages/count_tokens", MESSAGES),
    Body(
        "POST",
        "/v1/messages/batches",
        {"requests": [{"custom_id": "a", "params": MESSAGES}, {"custom_id": "b", "params": {}}]},
    ),
    Body("POST", MODEL + "generateContent", CONTENTS),
    Body("POST", MODEL + "streamGenerateContent?alt=sse", CONTENTS),
    Body("POST", MODEL + "streamGenerateContent", CONTENTS),
    Body("POST", MODEL + "countTokens", {"generateContentRequest": {"model": "m", **CONTENTS}}),
    Body(
        "POST",
        "/v1beta/models/gemini-embedding-001:embedContent",
        {"content": {"parts": [{"text": "Hi"}]}, "outputDimensionality": 8},
    ),
    Body(
        "POST",
        "/v1beta/models/gemini-embedding-001:batchEmbedContents",
        {"requests": [{"model": "models/gemini-embedding-001", "content": "Hi"}]},
    ),
    Body("PATCH", "/llmsim/latency", {"profile": "instant", "models": {"a*": {"profile": "fast"}}}),
    Body("PUT", "/llmsim/mocks", [MOCK, {**MOCK, "name": "n", "times": 2}]),
    Body("POST", "/llmsim/mocks", {**MOCK, "name": "o"}),
    Body("PATCH", "/llmsim/limits", [{"key": "r*", "requests_per_minute": 10**9}]),
    Body("PATCH", "/llmsim/config/response", {"target_tokens": 10, "generator": "lorem"}),
    Body("PUT", "/llmsim/config", {"response": {"target_tokens": 10}, "mocks": [MOCK]}),
)
