"""What breaks each rule of strict validation, and what does not: rule, change of a request that is
taken, and words of the refusal."""

from __future__ import annotations

from typing import Any, NamedTuple

HI = {"role": "user", "content": "Hi"}
USER = {"role": "user", "parts": [{"text": "Hi"}]}
ANSWER = {"role": "assistant", "content": "x"}
GEMINI_3 = "gemini-3.1-pro-preview"
LONG_ID = "call_" + "x" * 60
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

SOUND = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
VOICE = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}}


class Example(NamedTuple):
    """``fields`` replace those of the request that is taken; ``...`` takes one away."""

    rule: str
    fields: dict[str, Any]
    words: str


def anthropic_turns(id_: str = "toolu_1", *first: dict[str, Any]) -> dict[str, Any]:
    call = {"type": "tool_use", "id": id_, "name": "now", "input": {}}
    result = {"type": "tool_result", "tool_use_id": id_, "content": "noon"}
    assistant = {"role": "assistant", "content": [*first, call]}
    return {"messages": [HI, assistant, {"role": "user", "content": [result]}]}


def anthropic_tool(**schema: Any) -> dict[str, Any]:
    return {"tools": [{"name": "f", "input_schema": {"type": "object", **schema}}]}


def blocks(*content: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def said(*content: dict[str, Any], then: bool = True) -> dict[str, Any]:
    return {"messages": [HI, {"role": "assistant", "content": list(content)}, *([HI] * then)]}


def chat_calls(*ids: str, **fields: Any) -> dict[str, Any]:
    calls = [
        {"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in ids
    ]
    answers = [{"role": "tool", "tool_call_id": one, "content": "1"} for one in dict.fromkeys(ids)]
    assistant = {"role": "assistant", "content": None, "tool_calls": calls, **fields}
    return {"messages": [HI, assistant, *answers]}


def items(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"input": [HI, *listed]}


def gemini_call(**part: Any) -> dict[str, Any]:
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, **part}]}
    return {"contents": [USER, call, gemini_response({"a": 1})]}


def gemini_response(response: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": response}}]}


def gemini_tool(*names: str, **schema: Any) -> dict[str, Any]:
    declared = [
        {"name": name, "parameters": {"type": "object", "properties": {"a": {}}, **schema}}
        for name in names
    ]
    return {"tools": [{"functionDeclarations": declared}]}


def thought(**config: Any) -> dict[str, Any]:
    return {"generationConfig": {"thinkingConfig": config}}


def modalities(wanted: str, model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return {"model": model, "generationConfig": {"responseModalities": [wanted]}}


ANTHROPIC = [
    Example("tool-name", {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "patt"),
    Example("tool-schema-type", {"tools": [{"name": "f", "input_schema": {}}]}, "Field required"),
    Example("tool-schema-top", anthropic_tool(anyOf=[{}]), "tools.0.custom.input_schema: "),
    Example("tool-schema-properties", anthropic_tool(properties={"a": "x"}), "2020-12"),
    Example("empty-text", blocks({"type": "text", "text": ""}), "non-empty"),
    Example("blank-text", blocks({"type": "text", "text": " \n"}), "non-whitespace"),
    Example(
        "image-type",
        blocks(
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/bmp", "data": "AAAA"},
            }
        ),
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'",
    ),
    Example("trailing-whitespace", said({"type": "text", "text": "x "}, then=False), "whitespace"),
    Example(
        "prefill",
        {"model": "claude-opus-4-6", **said({"type": "text", "text": "x"}, then=False)},
        "assistant message prefill",
    ),
    Example("call-id", anthropic_turns("call_1|fc_2"), "messages.1.content.0.tool_use.id: String"),
    Example(
        "server-call-id",
        said({"type": "server_tool_use", "id": "x", "name": "web_search", "input": {}}),
        "srvtoolu_",
    ),
    Example(
        "call-id-unique",
        anthropic_turns("a", {"type": "tool_use", "id": "a", "name": "now", "input": {}}),
        "must be unique",
    ),
    Example(
        "signature",
        said({"type": "thinking", "thinking": "x", "signature": "no"}),
        "messages.1.content.0: Invalid `signature`",
    ),
    Example("thinking-first", {**THINKING, **anthropic_turns()}, "but found `tool_use`"),
    Example("max-tokens", {"max_tokens": 999_999}, "max_tokens: 999999 > 64000"),
    Example(
        "sampling-deprecated",
        {"model": "claude-opus-4-7", "temperature": 0.3},
        "`temperature` is deprecated",
    ),
    Example("sampling-both", {"temperature": 0.3, "top_p": 0.4}, "cannot both be specified"),
    Example("thinking-temperature", {**THINKING, "temperature": 0.3}, "only be set to 1"),
    Example("thinking-top-k", {**THINKING, "top_k": 3}, "`top_k` must be unset"),
    Example("thinking-top-p", {**THINKING, "top_p": 0.5}, "greater than or equal to 0.95"),
    Example(
        "thinking-adaptive-only", {"model": "claude-opus-4-7", **THINKING}, "thinking.type.adaptive"
    ),
    Example("thinking-no-adaptive", {"thinking": {"type": "adaptive"}}, "adaptive thinking is not"),
    Example("effort", {"output_config": {"effort": "low"}}, "the effort parameter"),
    Example(
        "effort-level",
        {"model": "claude-opus-4-5", "output_config": {"effort": "max"}},
        "effort level 'max'",
    ),
]
CHAT = [
    Example("audio-of-model", SOUND, "does not support 'audio' with this model"),
    Example("audio-wanted", {"model": "gpt-audio"}, "contain audio"),
    Example("chat-model", {"model": "text-embedding-3-small"}, "This is not a chat model"),
    Example("stream-options", {"stream_options": {}}, "'stream_options'"),
    Example("max-tokens-twice", {"max_tokens": 5, "max_completion_tokens": 5}, "same time"),
    Example("max-tokens-of-reasoning", {"model": "o3", "max_tokens": 5}, "max_completion_tokens"),
    Example("max-tokens-bounds", {"max_tokens": 99_999_999}, "too large"),
    Example("sampling-of-reasoning", {"model": "gpt-5", "temperature": 0.2}, "'temperature'"),
    Example("parameters-of-reasoning", {"model": "o3", "presence_penalty": 1}, "'presence_pen"),
    Example("effort-of-model", {"model": "gpt-5", "reasoning_effort": "xhigh"}, "'minimal', 'low'"),
    Example("stop-of-reasoning", {"model": "o3", "stop": "x"}, "'stop'"),
    Example("parallel-calls", {"model": "o3", "parallel_tool_calls": True}, "'parallel_tool"),
    Example("logit-bias", {"logit_bias": {"5": 200}}, "'logit_bias.5'"),
    Example("service-tier", {"service_tier": "gold"}, "'gold'. Supported values are: 'auto'"),
    Example("metadata", {"metadata": dict.fromkeys(map(str, range(17)), "")}, "at most 16"),
    Example("tools-wanted", {"tool_choice": "auto"}, "'tool_choice' is only allowed"),
    Example("tools-count", {"tools": [FUNCTION] * 129}, "'tools': array too long"),
    Example("functions-count", {"functions": [{"name": "f"}] * 129}, "'functions': array too long"),
    Example("tools", {"tools": [{**FUNCTION, "function": {"name": "a b"}}]}, "does not match"),
    Example(
        "calls-empty",
        {"messages": [{"role": "assistant", "content": "x", "tool_calls": []}, HI]},
        "'messages[0].tool_calls': empty array",
    ),
    Example("call-id-length", chat_calls(LONG_ID), "'messages[1].tool_calls[0].id'"),
    Example("call-id-unique", chat_calls("a", "a"), "Duplicate value"),
    Example(
        "reasoning-back",
        {"model": "deepseek-chat", "thinking": {"type": "enabled"}, **chat_calls("a")},
        "`reasoning_content`",
    ),
    Example("json-word", {"response_format": {"type": "json_object"}}, "the word 'json'"),
    Example(
        "schema",
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}},
            }
        },
        "'additionalProperties'",
    ),
]
RESPONSES = [
    Example("stream-options", {"stream_options": {}}, "'stream_options'"),
    Example("max-output-tokens", {"max_output_tokens": 3}, ">= 16"),
    Example("sampling-of-reasoning", {"model": "gpt-5", "temperature": 0.2}, "'temperature'"),
    Example("metadata", {"metadata": dict.fromkeys(map(str, range(17)), "")}, "at most 16"),
    Example("service-tier", {"service_tier": "gold"}, "'gold'"),
    Example("tools-count", {"tools": [{"type": "function", "name": "f"}] * 129}, "array too long"),
    Example("tools", {"tools": [{"type": "function", "name": "a b"}]}, "does not match"),
    Example("tool-needs", {"tools": [{"type": "file_search"}]}, "'tools[0].vector_store_ids'"),
    Example(
        "assistant-content",
        items({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}),
        "'input_text'. Supported values are: 'output_text'",
    ),
    Example(
        "input-content",
        {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        "'text'. Supported values are: 'input_text'",
    ),
    Example(
        "item-id",
        items(
            {"type": "reasoning", "id": "x", "summary": []}, {"role": "assistant", "content": ""}
        ),
        "'input[1].id': 'x'. Expected an ID that begins with 'rs'",
    ),
    Example(
        "call-id-length",
        items(
            {"type": "function_call", "call_id": LONG_ID, "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": LONG_ID, "output": "1"},
        ),
        "maximum length 64",
    ),
    Example(
        "item-id-unique",
        items(*[{"role": "assistant", "content": "x", "type": "message", "id": "msg_1"}] * 2),
        "Duplicate item found with id msg_1",
    ),
    Example(
        "encrypted-content",
        items(
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "theirs"},
            {"role": "assistant", "content": "x"},
        ),
        "The encrypted content theirs... could not be verified",
    ),
    Example(
        "reasoning-alone",
        items({"type": "reasoning", "id": "rs_1", "summary": []}),
        "without its required following item",
    ),
    Example(
        "built-in-calls",
        items({"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}}),
        "No tool output found for shell call c",
    ),
    Example("json-word", {"text": {"format": {"type": "json_object"}}}, "the word 'json'"),
    Example(
        "schema",
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "x",
                    "strict": True,
                    "schema": {"type": "object"},
                }
            }
        },
        "'additionalProperties'",
    ),
]
GEMINI = [
    Example("modalities", modalities("AUDIO"), "response modalities (AUDIO) is not supported"),
    Example("modalities-of-speech", {"model": "gemini-2.5-pro-preview-tts"}, "(TEXT)"),
    Example("modalities-of-images", modalities("AUDIO", "gemini-2.5-flash-image"), "(AUDIO)"),
    Example("voice", {"generationConfig": {"speechConfig": VOICE}}, "Cannot extract voices"),
    Example("call-turn", {"contents": gemini_call()["contents"][1:]}, "immediately after a user"),
    Example(
        "response-reference",
        {
            "contents": [
                *gemini_call()["contents"][:2],
                gemini_response({"a": [{"$ref": "#/x"}]}),
            ]
        },
        "`#/x` does not match",
    ),
    Example("signature-missing", {"model": GEMINI_3, **gemini_call()}, "position 2"),
    Example("signature-encoding", gemini_call(thoughtSignature="!"), "Base64 decoding failed"),
    Example("thinking-level", thought(thinkingLevel="low"), "level is not supported"),
    Example(
        "thinking-always",
        {"model": "gemini-2.5-pro", **thought(thinkingBudget=0)},
        "only works in thinking mode",
    ),
    Example(
        "thinking-budget-128",
        {"model": "gemini-2.5-pro", **thought(thinkingBudget=5)},
        "budget 5 is invalid. Please choose a value between 128 and 32768",
    ),
    Example("thinking-budget-0", thought(thinkingBudget=50_000), "between 0 and 24576"),
    Example(
        "thinking-budget-512",
        {"model": "gemini-2.5-flash-lite", **thought(thinkingBudget=5)},
        "between 512 and 24576",
    ),
    Example(
        "calls-and-json",
        {**gemini_tool("f"), "generationConfig": {"responseMimeType": "application/json"}},
        "'application/json' is unsupported",
    ),
    Example(
        "functions-and-tools",
        {"tools": [*gemini_tool("f")["tools"], {"googleSearch": {}}]},
        "Tool use with function calling is unsupported",
    ),
    Example(
        "harm-category",
        {"safetySettings": [{"category": "HARM_CATEGORY_MEAN", "threshold": "OFF"}]},
        "'safety_settings[0].category'",
    ),
    Example(
        "harm-threshold",
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "ALL"}]},
        'HarmBlockThreshold), "ALL"',
    ),
    Example("generating-model", {"model": "gemini-embedding-001"}, ""),
    Example("function-names", gemini_tool("f", "f"), "Duplicate function declaration found: f"),
    Example(
        "schema-items",
        gemini_tool("f", properties={"a": {"type": "ARRAY"}}),
        "tools[0].function_declarations[0].parameters.properties[a].items: missing field",
    ),
    Example("schema-required", gemini_tool("f", required=["b"]), "required[0]: property is not"),
]
COMPLETIONS = [
    Example("completion-model", {"model": "gpt-4o"}, "This is a chat model"),
    Example("stream-options", {"stream_options": {}}, "'stream_options'"),
    Example("max-tokens-bounds", {"max_tokens": 9_999_999}, "too large"),
    Example("logit-bias", {"logit_bias": {"5": 200}}, "'logit_bias.5'"),
]
EMBEDDINGS = [
    Example("embedding-model", {"model": "gpt-4o"}, "not allowed to generate embeddings"),
    Example("dimensions", {"dimensions": 5000}, "= 5000. Must be less than or equal to 1536"),
]
MODERATIONS = [
    Example("moderation-model", {"model": "gpt-4o"}, "Invalid value for 'model' = gpt-4o"),
    Example(
        "moderation-images",
        {
            "model": "text-moderation-latest",
            "input": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}],
        },
        "only takes text",
    ),
]
IMAGES = [
    Example("image-model", {"model": "gpt-4o"}, "Invalid value: 'gpt-4o'"),
    Example("prompt-length", {"model": "dall-e-2", "prompt": "x" * 1001}, "maximum length 1000"),
    Example("one-image", {"model": "dall-e-3", "n": 2}, "n=1"),
    Example("image-size", {"model": "dall-e-3", "size": "64x64"}, "'1024x1024', '1792x1024'"),
    Example("image-quality", {"quality": "hd"}, "Invalid value: 'hd'"),
    Example("response-format", {"response_format": "url"}, "'response_format'"),
    Example("gpt-image-only", {"model": "dall-e-3", "background": "opaque"}, "'background'"),
]
EMBED = [
    Example("embedding-model", {"model": "gemini-2.5-flash"}, ""),
    Example("task-type", {"taskType": "READING"}, "'task_type'"),
    Example("title", {"title": "x", "taskType": "CLUSTERING"}, "RETRIEVAL_DOCUMENT"),
    Example("output-dimensionality", {"outputDimensionality": 5000}, "1 to 3072"),
]
ASSISTANTS = [
    Example("tools", {"tools": [{**FUNCTION, "function": {"name": "a b"}}]}, "does not match"),
    Example("sampling-of-reasoning", {"model": "o3", "temperature": 0.2}, "'temperature'"),
    Example(
        "schema",
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}},
            }
        },
        "'additionalProperties'",
    ),
]
