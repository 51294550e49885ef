"""Recordings for tests."""

from llmsim.recordings.recording import (
    Payload,
    RecordedFrame,
    RecordedRequest,
    RecordedResponse,
    RecordedUsage,
    Recording,
)


def recording(number: int = 0, *frames: bytes, **fields: object) -> Recording:
    """A streamed chat completion with these frames, 100 ms apart."""
    body = b'{"model":"gpt-4o","messages":[{"role":"user","content":"Hi %d"}],"stream":true}'
    whole: dict[str, object] = {
        "id": f"rec_{number:04}",
        "arrived": 1_790_000_000.25 + number,
        "provider": "openai",
        "endpoint": "/v1/chat/completions",
        "model": "gpt-4o",
        "stream": True,
        "request": RecordedRequest(
            path="/v1/chat/completions",
            headers=[("content-type", "application/json")],
            body=Payload.of(body % number),
        ),
        "response": RecordedResponse(
            status=200,
            headers=[("content-type", "text/event-stream")],
            at=0.1,
            frames=[
                RecordedFrame(at=0.1 * place, body=Payload.of(frame), tokens=1, in_flight=2)
                for place, frame in enumerate(frames or (b"data: {}\n\n", b"data: [DONE]\n\n"), 1)
            ],
            ended=0.1 * max(len(frames), 2),
        ),
        "usage": RecordedUsage(prompt=9, completion=2),
        "in_flight": 2,
    }
    return Recording(**(whole | fields))  # type: ignore[arg-type]
