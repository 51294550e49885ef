"""The official google-genai client against a live server of two workers."""

import asyncio
from enum import Enum
from typing import Any, Literal

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from llmsim.engine.tokens.tokenizer import tokenizer

CHAT = "gemini-2.5-flash"
PLAIN = "gemini-2.0-flash"  # does not think
EMBEDDING = "gemini-embedding-001"
ENCODING = tokenizer("o200k_base")


@pytest.fixture(params=[None, "v1beta"], ids=["default version", "v1beta"])
def client(request: pytest.FixtureRequest, server: str) -> genai.Client:
    options = types.HttpOptions(base_url=server, api_version=request.param)
    if request.param is None:
        options = types.HttpOptions(base_url=server)
    return genai.Client(api_key="any", http_options=options)


def counts(response: types.GenerateContentResponse) -> tuple[int, int, int, int]:
    usage = response.usage_metadata
    assert usage is not None
    return (
        usage.prompt_token_count or 0,
        usage.candidates_token_count or 0,
        usage.thoughts_token_count or 0,
        usage.total_token_count or 0,
    )


def finish(response: types.GenerateContentResponse) -> types.FinishReason | None:
    assert response.candidates is not None
    return response.candidates[0].finish_reason


def parts(response: types.GenerateContentResponse) -> list[types.Part]:
    assert response.candidates is not None
    content = response.candidates[0].content
    return (content.parts or []) if content is not None else []


def text(chunks: list[types.GenerateContentResponse]) -> str:
    return "".join(chunk.text or "" for chunk in chunks)


CONFIGS: list[types.GenerateContentConfigDict] = [
    {},
    {"max_output_tokens": 7},
    {"system_instruction": "Be brief.", "temperature": 0.2, "top_k": 4},
    {"thinking_config": {"include_thoughts": True, "thinking_budget": 40}},
    {"thinking_config": {"thinking_level": types.ThinkingLevel.LOW}},
    {"response_mime_type": "application/json"},
]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("model", [CHAT, PLAIN, "tunedModels/mine"])
def test_a_stream_says_what_the_plain_answer_says(
    client: genai.Client, model: str, config: types.GenerateContentConfigDict
) -> None:
    config = {**config, "seed": 11}
    whole = client.models.generate_content(model=model, contents="Say hi.", config=config)
    chunks = list(
        client.models.generate_content_stream(model=model, contents="Say hi.", config=config)
    )
    assert text(chunks) == (whole.text or "")
    assert counts(chunks[-1]) == counts(whole)
    assert finish(chunks[-1]) is finish(whole) is not None
    assert all(finish(chunk) is None for chunk in chunks[:-1])
    assert len({chunk.response_id for chunk in chunks}) == 1
    prompt, said, thought, total = counts(whole)
    assert total == prompt + said + thought
    assert said == ENCODING.count(whole.text or "")


def test_asynchronous_calls(client: genai.Client) -> None:
    async def scene() -> tuple[types.GenerateContentResponse, list[Any]]:
        config: types.GenerateContentConfigDict = {"seed": 3}
        models = client.aio.models
        whole = await models.generate_content(model=PLAIN, contents="hi", config=config)
        stream = await models.generate_content_stream(model=PLAIN, contents="hi", config=config)
        return whole, [chunk async for chunk in stream]

    whole, chunks = asyncio.run(scene())
    assert text(chunks) == whole.text
    assert counts(chunks[-1]) == counts(whole)
    assert whole.model_version == PLAIN


def test_the_limit_and_stop_sequences(client: genai.Client) -> None:
    short = client.models.generate_content(
        model=PLAIN, contents="hi", config={"max_output_tokens": 5}
    )
    assert finish(short) is types.FinishReason.MAX_TOKENS
    assert counts(short)[1] == 5
    stopped = client.models.generate_content(
        model=PLAIN, contents="hi", config={"stop_sequences": ["."]}
    )
    assert finish(stopped) is types.FinishReason.STOP
    assert "." not in (stopped.text or "")


def test_several_candidates(client: genai.Client) -> None:
    config: types.GenerateContentConfigDict = {"candidate_count": 3, "seed": 5}
    whole = client.models.generate_content(model=PLAIN, contents="hi", config=config)
    assert whole.candidates is not None
    assert [one.index for one in whole.candidates] == [0, 1, 2]
    said = ["", "", ""]
    for chunk in client.models.generate_content_stream(model=PLAIN, contents="hi", config=config):
        for candidate in chunk.candidates or ():
            assert candidate.content is not None
            for part in candidate.content.parts or ():
                said[candidate.index or 0] += part.text or ""
    assert said == [
        "".join(part.text or "" for part in (one.content.parts or ()))
        for one in whole.candidates
        if one.content is not None
    ]


@pytest.mark.parametrize("model", [CHAT, PLAIN, "gemini-4-argon"])
def test_thoughts_are_shown_when_asked_for(client: genai.Client, model: str) -> None:
    config: types.GenerateContentConfigDict = {
        "thinking_config": {"include_thoughts": True, "thinking_budget": 30},
        "seed": 1,
    }
    thought, *answer = parts(
        client.models.generate_content(model=model, contents="hi", config=config)
    )
    assert thought.thought is True
    assert ENCODING.count(thought.text or "") <= 30
    assert not any(part.thought for part in answer)
    assert answer[-1].thought_signature
    chunks = list(client.models.generate_content_stream(model=model, contents="hi", config=config))
    streamed = [part for chunk in chunks for part in parts(chunk)]
    assert "".join(part.text or "" for part in streamed if part.thought) == thought.text
    assert counts(chunks[-1])[2] == ENCODING.count(thought.text or "")


def test_thinking_can_be_turned_off(client: genai.Client) -> None:
    config: types.GenerateContentConfigDict = {"thinking_config": {"thinking_budget": 0}}
    response = client.models.generate_content(model=CHAT, contents="hi", config=config)
    assert counts(response)[2] == 0


def test_a_chat_keeps_its_history(client: genai.Client) -> None:
    chat = client.chats.create(model=CHAT)
    first = chat.send_message("one")
    chunks = list(chat.send_message_stream("two"))
    history = chat.get_history()
    assert [content.role for content in history[:3]] == ["user", "model", "user"]
    assert counts(chunks[-1])[0] > counts(first)[0] + counts(first)[1]


class Unit(Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> dict[str, Any]:
    """The weather in a city.

    Args:
        city: Where.
        unit: Of the temperature.
    """
    return {"city": city, "unit": unit, "temperature": 21}


def test_functions_are_called_automatically(client: genai.Client) -> None:
    config = types.GenerateContentConfig(tools=[get_weather])
    response = client.models.generate_content(model=CHAT, contents="Weather?", config=config)
    assert (response.text or "").startswith("get_weather returned: ")
    history = response.automatic_function_calling_history
    assert history is not None
    assert [content.role for content in history] == ["user", "model", "user"]


def test_functions_are_called_automatically_in_a_stream(client: genai.Client) -> None:
    config = types.GenerateContentConfig(
        tools=[get_weather], thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    chunks = client.models.generate_content_stream(model=CHAT, contents="Weather?", config=config)
    assert "get_weather returned: " in text(list(chunks))


def test_functions_are_called_automatically_in_a_chat(client: genai.Client) -> None:
    chat = client.chats.create(model=CHAT, config=types.GenerateContentConfig(tools=[get_weather]))
    for _ in range(2):
        assert "get_weather returned: " in (chat.send_message("Weather?").text or "")


def test_asynchronous_functions_are_called_automatically(client: genai.Client) -> None:
    async def get_time(zone: str) -> str:
        """The time in a zone."""
        return f"noon in {zone}"

    async def scene() -> str:
        response = await client.aio.models.generate_content(
            model=CHAT, contents="Time?", config=types.GenerateContentConfig(tools=[get_time])
        )
        return response.text or ""

    assert "noon in " in asyncio.run(scene())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("with_id", [False, True])
def test_a_loop_by_hand(client: genai.Client, stream: bool, with_id: bool) -> None:
    declared = types.FunctionDeclaration(
        name="get_weather",
        description="The weather",
        parameters=types.Schema(
            type=types.Type.OBJECT,
            properties={
                "city": types.Schema(type=types.Type.STRING),
                "unit": types.Schema(type=types.Type.STRING, enum=["celsius", "fahrenheit"]),
            },
            required=["city", "unit"],
        ),
    )
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
    contents: list[types.Content] = [types.UserContent("Weather?")]
    for _ in range(4):
        if stream:
            chunks = list(
                client.models.generate_content_stream(
                    model=CHAT, contents=list(contents), config=config
                )
            )
        else:
            chunks = [
                client.models.generate_content(model=CHAT, contents=list(contents), config=config)
            ]
        calls = [call for chunk in chunks for call in chunk.function_calls or ()]
        if not calls:
            assert "get_weather returned: " in text(chunks)
            return
        assert finish(chunks[-1]) is types.FinishReason.STOP
        contents += [
            one.content
            for chunk in chunks
            for one in chunk.candidates or ()
            if one.content is not None
        ]
        answers = []
        for call in calls:
            assert call.args is not None
            assert call.args["unit"] in ("celsius", "fahrenheit")
            said = types.FunctionResponse(
                id=call.id if with_id else None, name=call.name, response={"result": "sunny"}
            )
            answers.append(types.Part(function_response=said))
        contents.append(types.Content(role="user", parts=answers))
    pytest.fail("the loop does not end")


@pytest.mark.parametrize(
    ("mode", "names", "called"),
    [
        ("ANY", ["b"], {"b"}),
        ("ANY", None, {"a", "b", "c"}),
        ("NONE", None, set()),
        ("VALIDATED", None, {"a", "b", "c"}),
    ],
)
def test_function_calling_modes(
    client: genai.Client, mode: str, names: list[str] | None, called: set[str]
) -> None:
    functions = [types.FunctionDeclaration(name=name) for name in ("a", "b", "c")]
    response = client.models.generate_content(
        model=CHAT,
        contents="Go on.",
        config=types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=functions)],
            tool_config=types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(
                    mode=types.FunctionCallingConfigMode(mode), allowed_function_names=names
                )
            ),
        ),
    )
    found = {call.name for call in response.function_calls or ()}
    assert found <= called
    assert bool(found) == bool(called)


class Station(BaseModel):
    name: str
    height: float
    tags: list[str]
    unit: Unit


def test_structured_output(client: genai.Client) -> None:
    response = client.models.generate_content(
        model=CHAT,
        contents="A station.",
        config={"response_mime_type": "application/json", "response_schema": Station},
    )
    assert isinstance(response.parsed, Station)


def test_structured_output_of_lists_and_json_schemas(client: genai.Client) -> None:
    several = client.models.generate_content(
        model=CHAT,
        contents="Stations.",
        config={"response_mime_type": "application/json", "response_schema": list[Station]},
    )
    assert isinstance(several.parsed, list)
    assert all(isinstance(one, Station) for one in several.parsed)
    one = client.models.generate_content(
        model=CHAT,
        contents="A station.",
        config={
            "response_mime_type": "application/json",
            "response_json_schema": Station.model_json_schema(),
        },
    )
    Station.model_validate_json(one.text or "")


def test_one_word_of_an_enumeration(client: genai.Client) -> None:
    response = client.models.generate_content(
        model=CHAT,
        contents="Which?",
        config={"response_mime_type": "text/x.enum", "response_schema": Unit},
    )
    assert response.parsed in Unit


@pytest.mark.parametrize(
    "contents",
    [
        "Hello, world.",
        ["Hello,", types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")],
        [types.UserContent("a"), types.ModelContent("b"), types.UserContent("c")],
    ],
)
def test_a_count_is_the_prompt_of_the_same_request(client: genai.Client, contents: Any) -> None:
    counted = client.models.count_tokens(model=CHAT, contents=contents).total_tokens
    response = client.models.generate_content(model=CHAT, contents=contents)
    assert counted == counts(response)[0]


def test_embeddings(client: genai.Client) -> None:
    response = client.models.embed_content(model=EMBEDDING, contents=["the cat", "a cat", "taxes"])
    assert response.embeddings is not None
    cat, other, taxes = (one.values or [] for one in response.embeddings)
    assert len(cat) == 3072
    assert sum(a * b for a, b in zip(cat, other, strict=True)) > sum(
        a * b for a, b in zip(cat, taxes, strict=True)
    )
    short = client.models.embed_content(
        model=EMBEDDING,
        contents="the cat",
        config={"output_dimensionality": 256, "task_type": "RETRIEVAL_QUERY"},
    )
    assert short.embeddings is not None
    assert len(short.embeddings[0].values or ()) == 256


def test_models_page_by_page(client: genai.Client) -> None:
    pager = client.models.list(config={"page_size": 4})
    assert len(pager) == 4
    names = [one.name for one in pager]
    assert len(names) == len(set(names)) > 8
    assert f"models/{CHAT}" in names
    told = client.models.get(model=CHAT)
    assert (told.name, told.input_token_limit) == (f"models/{CHAT}", 1_048_576)
    assert "generateContent" in (told.supported_actions or ())


def test_a_bad_request_is_a_client_error(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model=CHAT, contents="hi", config={"candidate_count": 99})
    assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")
    assert "candidate_count" in (raised.value.message or "")


def test_a_bad_request_to_stream_is_a_client_error(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as raised:
        list(
            client.models.generate_content_stream(
                model=CHAT, contents="hi", config={"candidate_count": 99}
            )
        )
    assert (raised.value.code, raised.value.status) == (400, "INVALID_ARGUMENT")


def test_an_unknown_model_is_a_client_error(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as raised:
        client.models.get(model="nope")
    assert (raised.value.code, raised.value.status) == (404, "NOT_FOUND")


def test_a_prompt_that_is_too_long_is_a_client_error(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model="gemini-2.5-flash-image", contents="a b " * 40_000)
    assert "exceeds the maximum number of tokens allowed (65536)" in (raised.value.message or "")
