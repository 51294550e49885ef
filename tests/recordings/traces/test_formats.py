"""Each format of traces: a sample with the columns of the real one, and mistakes in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmsim.recordings.traces.formats import FORMATS, read
from llmsim.recordings.traces.row import TraceError, TraceRow

HELLO = ({"role": "user", "content": "Hello"},)

OTLP = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {"name": "GET /", "startTimeUnixNano": "1", "attributes": []},
                        {
                            "name": "chat gpt-4o",
                            "startTimeUnixNano": "1790000000500000000",
                            "endTimeUnixNano": "1790000002000000000",
                            "attributes": [
                                {
                                    "key": "gen_ai.request.model",
                                    "value": {"stringValue": "gpt-4o"},
                                },
                                {
                                    "key": "gen_ai.usage.input_tokens",
                                    "value": {"intValue": "12"},
                                },
                                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 5}},
                                {
                                    "key": "gen_ai.response.time_to_first_chunk",
                                    "value": {"doubleValue": 0.25},
                                },
                                {
                                    "key": "gen_ai.response.finish_reasons",
                                    "value": {"arrayValue": {"values": [{"stringValue": "stop"}]}},
                                },
                                {
                                    "key": "gen_ai.input.messages",
                                    "value": {
                                        "stringValue": json.dumps(
                                            [
                                                {
                                                    "role": "user",
                                                    "parts": [{"type": "text", "content": "Hello"}],
                                                }
                                            ]
                                        )
                                    },
                                },
                                {
                                    "key": "gen_ai.output.messages",
                                    "value": {
                                        "stringValue": '[{"role":"assistant","content":"Hi!"}]'
                                    },
                                },
                            ],
                        },
                    ]
                }
            ]
        }
    ]
}
SPAN = {
    "name": "chat",
    "start_time": "2026-09-21T14:13:20.500000Z",
    "end_time": "2026-09-21T14:13:22Z",
    "attributes": {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "error.type": "timeout",
    },
}
LITELLM = {
    "id": "chatcmpl-1",
    "call_type": "acompletion",
    "status": "success",
    "startTime": 1790000000.5,
    "completionStartTime": 1790000000.75,
    "endTime": 1790000002.0,
    "model": "gpt-4o",
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "messages": [{"role": "user", "content": "Hello"}],
    "response": {"choices": [{"message": {"role": "assistant", "content": "Hi!"}}]},
}
CACHED = {"usage_object": {"prompt_tokens_details": {"cached_tokens": 8}}}
LANGFUSE = {
    "id": "o1",
    "trace_id": "t1",
    "type": "GENERATION",
    "start_time": "2026-09-21T14:13:20.500Z",
    "end_time": "2026-09-21T14:13:22.000Z",
    "completion_start_time": "2026-09-21T14:13:20.750Z",
    "model": "gpt-4o",
    "input": {"messages": [{"role": "user", "content": "Hello"}]},
    "output": {"role": "assistant", "content": "Hi!"},
    "usage": {"input": 12, "output": 5, "total": 17},
}
VCR = {
    "prompt_tokens": 12,
    "cached_tokens": 4,
    "output_tokens": 5,
    "ttft_ms": 250,
    "itl_ms": [10, 20.5],
    "itl_tokens": [1, 3],
    "concurrency": 7,
    "arrival_ms": 500,
    "finish_reason": "stop",
}
SAID = {
    "id": "c1",
    "conversations": [
        {"from": "human", "value": "Hello"},
        {"from": "gpt", "value": "Hi!"},
        {"from": "human", "value": "Bye"},
        {"from": "gpt", "value": "Bye."},
    ],
}
FULL = {
    "model": "gpt-4o",
    "prompt_tokens": 12,
    "output_tokens": 5,
    "messages": HELLO,
    "answer": "Hi!",
}
AT = {"arrived": 1790000000.5, "ttft": 0.25, "total": 1.5}

SAMPLES: list[tuple[str, str, list[dict[str, Any]]]] = [
    (
        "azure",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,374,44\n2024-05-10 00:00:00.009930+00:00,2162,5\n",
        [
            {"arrived": 1700158546.68059, "prompt_tokens": 374, "output_tokens": 44},
            {"arrived": 1715299200.00993, "prompt_tokens": 2162, "output_tokens": 5},
        ],
    ),
    (
        "burstgpt",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,1087,0,1087,API log\n",
        [
            {"arrived": 5.0, "model": "ChatGPT", "prompt_tokens": 472, "output_tokens": 18},
            {"arrived": 45.0, "model": "GPT-4", "prompt_tokens": 1087, "failed": True},
        ],
    ),
    (
        "burstgpt",
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
        "Log Type\n5.5,3,2.25,GPT-4,10,20,30,API log\n",
        [
            {
                "arrived": 5.5,
                "session": "3",
                "total": 2.25,
                "model": "GPT-4",
                "prompt_tokens": 10,
                "output_tokens": 20,
            }
        ],
    ),
    (
        "mooncake",
        '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}\n'
        '{"timestamp": 0, "input_length": 1, "output_length": 2, "session_id": "s",'
        ' "delay": 100}\n',
        [
            {
                "arrived": 27.482,
                "prompt_tokens": 6955,
                "output_tokens": 52,
                "hash_ids": (46, 47),
                "block": 512,
            },
            {
                "arrived": 0.0,
                "prompt_tokens": 1,
                "output_tokens": 2,
                "session": "s",
                "delay": 0.1,
            },
        ],
    ),
    (
        "bailian",
        '{"chat_id": 159, "parent_chat_id": 55, "timestamp": 61.114, "input_length": 521,'
        ' "output_length": 132, "type": "text", "turn": 2, "hash_ids": [1089, 1090]}\n'
        '{"chat_id": 7, "parent_chat_id": -1, "timestamp": 62, "input_length": 1,'
        ' "output_length": 2, "type": "search", "turn": 1, "hash_ids": []}\n'
        '{"chat_id": 160, "parent_chat_id": 159, "timestamp": 63, "input_length": 1,'
        ' "output_length": 2, "type": "text", "turn": 3, "hash_ids": []}\n',
        [
            {
                "arrived": 61.114,
                "prompt_tokens": 521,
                "output_tokens": 132,
                "session": "55",
                "hash_ids": (1089, 1090),
                "block": 16,
            },
            {"arrived": 62.0, "prompt_tokens": 1, "output_tokens": 2, "session": "7"},
            {"arrived": 63.0, "prompt_tokens": 1, "output_tokens": 2, "session": "55"},
        ],
    ),
    ("otel", json.dumps(OTLP, indent=1), [FULL | AT | {"finish_reason": "stop"}]),
    (
        "otel",
        json.dumps(SPAN) + "\n" + json.dumps(SPAN) + "\n",
        2
        * [
            {
                "model": "gpt-4o",
                "prompt_tokens": 12,
                "output_tokens": 5,
                "arrived": 1790000000.5,
                "total": 1.5,
                "failed": True,
            }
        ],
    ),
    ("litellm", json.dumps(LITELLM), [FULL | AT]),
    (
        "litellm",
        json.dumps(
            [
                LITELLM | {"metadata": CACHED},
                LITELLM | {"status": "failure"},
                LITELLM | {"completionStartTime": LITELLM["endTime"]},
            ]
        ),
        [
            FULL | AT | {"cached_tokens": 8},
            FULL | AT | {"failed": True},
            FULL | AT | {"ttft": None},
        ],
    ),
    (
        "langfuse",
        json.dumps(LANGFUSE) + "\n\n" + json.dumps(LANGFUSE | {"type": "SPAN"}) + "\n",
        [FULL | AT | {"session": "t1"}],
    ),
    (
        "vllm-vcr",
        json.dumps(VCR),
        [
            {
                "arrived": 0.5,
                "prompt_tokens": 12,
                "cached_tokens": 4,
                "output_tokens": 5,
                "ttft": 0.25,
                "gaps": (0.01, 0.0205),
                "gap_tokens": (1, 3),
                "in_flight": 7,
                "finish_reason": "stop",
            }
        ],
    ),
    (
        "sharegpt",
        json.dumps([SAID]),
        [
            {
                "arrived": 0.0,
                "session": "c1",
                "messages": HELLO,
                "answer": "Hi!",
                "prompt_tokens": 1,
                "output_tokens": 2,
            },
            {
                "arrived": 0.0,
                "session": "c1",
                "messages": (
                    *HELLO,
                    {"role": "assistant", "content": "Hi!"},
                    {"role": "user", "content": "Bye"},
                ),
                "answer": "Bye.",
                "prompt_tokens": 4,
                "output_tokens": 2,
            },
        ],
    ),
]


def written(folder: Path, text: str) -> Path:
    path = folder / "trace"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_format_has_a_sample() -> None:
    assert {name for name, _, _ in SAMPLES} == FORMATS.keys()


@pytest.mark.parametrize(("name", "text", "expected"), SAMPLES)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_sample(
    tmp_path: Path, name: str, text: str, expected: list[dict[str, Any]], mark: str
) -> None:
    found = list(read(written(tmp_path, mark + text), name))
    assert [round_times(one) for one in found] == [TraceRow(**one) for one in expected]


def round_times(row: TraceRow) -> TraceRow:
    """Differences of dates are not exact."""
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    for name in ("arrived", "ttft", "total"):
        if values[name] is not None:
            values[name] = round(values[name], 6)
    return TraceRow(**values)


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    path = written(tmp_path, "when,in,out\n7.5,1,2\n")
    columns = {"arrived": "when", "prompt_tokens": "in", "output_tokens": "out"}
    (row,) = read(path, "burstgpt", columns)
    assert row == TraceRow(arrived=7.5, prompt_tokens=1, output_tokens=2)


@pytest.mark.parametrize(
    ("name", "text", "columns", "message"),
    [
        ("none", "", {}, "none is no format of traces; there are: azure, "),
        ("azure", "a,b\n1,2\n", {}, r"trace:2: no TIMESTAMP \(for arrived\); there is: a, b"),
        ("azure", "", {"ttft": "x"}, "ttft is no field of this format"),
        ("mooncake", "{}\n", {}, "trace:1: no timestamp"),
        ("mooncake", "{\n", {}, "trace:1: not valid JSON"),
        ("mooncake", "7\n", {}, "trace:1: not a JSON object"),
        (
            "mooncake",
            '{"timestamp": "x", "input_length": 1, "output_length": 1}',
            {},
            "timestamp: 'x' is no arrived",
        ),
        (
            "burstgpt",
            "Timestamp,Request tokens,Response tokens\n1,-1,2\n",
            {},
            "trace:2: Request tokens: '-1' is no prompt_tokens: not a whole number",
        ),
        (
            "burstgpt",
            "Timestamp,Request tokens,Response tokens\nnan,1,2\n",
            {},
            "not finite",
        ),
        ("otel", "[7]", {}, "a span is a JSON object"),
        ("sharegpt", "[{}]", {}, "no conversations"),
    ],
)
def test_mistakes_name_the_place(
    tmp_path: Path, name: str, text: str, columns: dict[str, str], message: str
) -> None:
    with pytest.raises(TraceError, match=message):
        list(read(written(tmp_path, text), name, columns))
