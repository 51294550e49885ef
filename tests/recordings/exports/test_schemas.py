"""What is exported is what the formats say."""

import json
import re
from typing import Any

import jsonschema
import pytest

from llmsim.recordings.exports import EXPORTS
from llmsim.recordings.recording import Payload, RecordedRequest, RecordedResponse, ResponseEnd
from tests.recordings.samples import recording

RECORDINGS = [
    recording(0, correlation={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}),
    recording(1, b"\xff\x00", stream=False, usage=None),
    recording(2, response=RecordedResponse(end=ResponseEnd.UNANSWERED, ended=1.5)),
    recording(
        3,
        request=RecordedRequest(
            method="GET",
            path="/v1/models",
            query="after=a%20b&limit",
            headers=[("host", "api.openai.com"), ("cookie", "a=b; c=d")],
        ),
        stream=False,
        usage=None,
    ),
    recording(4, request=RecordedRequest(path="/v1/x", body=Payload.of(b"\xfe"))),
]


def of(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind} | more


def has(needed: dict[str, Any], **others: Any) -> dict[str, Any]:
    """An object with these; what else it has is its own, and begins with an underscore."""
    return {
        "type": "object",
        "required": list(needed),
        "properties": needed | others,
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


TEXT, COUNT = of("string"), of("integer", minimum=-1)
MS = of("number", minimum=0)
PAIRS = of("array", items=has({"name": TEXT, "value": TEXT}, comment=TEXT))
DATE = of("string", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
HEAD = {
    "httpVersion": TEXT,
    "cookies": PAIRS,
    "headers": PAIRS,
    "headersSize": COUNT,
    "bodySize": COUNT,
}
HAR = has(
    {
        "log": has(
            {
                "version": {"const": "1.2"},
                "creator": has({"name": TEXT, "version": TEXT}),
                "entries": of(
                    "array",
                    items=has(
                        {
                            "startedDateTime": DATE,
                            "time": MS,
                            "request": has(
                                HEAD | {"method": TEXT, "url": TEXT, "queryString": PAIRS},
                                postData=has({"mimeType": TEXT, "text": TEXT}, encoding=TEXT),
                            ),
                            "response": has(
                                HEAD
                                | {
                                    "status": of("integer"),
                                    "statusText": TEXT,
                                    "redirectURL": TEXT,
                                    "content": has(
                                        {"size": COUNT, "mimeType": TEXT},
                                        text=TEXT,
                                        encoding={"const": "base64"},
                                    ),
                                }
                            ),
                            "cache": has({}),
                            "timings": has({"send": MS, "wait": MS, "receive": MS}),
                        }
                    ),
                ),
            }
        )
    }
)
"""HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/"""

NANOSECONDS = of("string", pattern=r"^\d+$")
VALUE = {
    "oneOf": [
        has({"stringValue": TEXT}),
        has({"intValue": of("string", pattern=r"^-?\d+$")}),
        has({"doubleValue": of("number")}),
    ]
}
ATTRIBUTES = of("array", items=has({"key": TEXT, "value": VALUE}))
SPAN = has(
    {
        "traceId": of("string", pattern="^[0-9a-f]{32}$"),
        "spanId": of("string", pattern="^[0-9a-f]{16}$"),
        "name": of("string", minLength=1),
        "kind": {"const": 3},
        "startTimeUnixNano": NANOSECONDS,
        "endTimeUnixNano": NANOSECONDS,
        "attributes": ATTRIBUTES,
        "status": has({}, code={"enum": [1, 2]}),
    },
    parentSpanId=of("string", pattern="^[0-9a-f]{16}$"),
)
SCOPE = has({"scope": has({"name": TEXT, "version": TEXT}), "spans": of("array", items=SPAN)})
RESOURCE = has(
    {"resource": has({"attributes": ATTRIBUTES}), "scopeSpans": of("array", items=SCOPE)}
)
OTEL = has({"resourceSpans": of("array", items=RESOURCE)})
"""OTLP/JSON, https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""

MOONCAKE = has(
    {
        "timestamp": of("integer", minimum=0),
        "input_length": of("integer", minimum=0),
        "output_length": of("integer", minimum=0),
        "hash_ids": of("array", items=of("integer")),
    }
)


@pytest.mark.parametrize(("name", "schema"), [("har", HAR), ("otel", OTEL)])
def test_a_document(name: str, schema: dict[str, Any]) -> None:
    document = json.loads("".join(EXPORTS[name](RECORDINGS)))
    jsonschema.validate(document, schema)


def test_lines() -> None:
    lines = "".join(EXPORTS["mooncake"](RECORDINGS)).splitlines()
    assert len(lines) == len(RECORDINGS)
    for line in lines:
        jsonschema.validate(json.loads(line), MOONCAKE)


def test_parts_of_an_archive() -> None:
    entries = json.loads("".join(EXPORTS["har"](RECORDINGS)))["log"]["entries"]
    for entry in entries:
        assert entry["time"] == pytest.approx(sum(entry["timings"].values()), abs=0.01)
        assert entry["request"]["bodySize"] >= 0
        assert re.match(r"https?://[^/]+/v1/", entry["request"]["url"])
    assert entries[3]["request"]["queryString"] == [
        {"name": "after", "value": "a b"},
        {"name": "limit", "value": ""},
    ]
    assert "postData" not in entries[3]["request"]
    assert entries[4]["request"]["postData"]["encoding"] == "base64"
