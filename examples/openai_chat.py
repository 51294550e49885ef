"""Stream a chat completion from llmsim with OpenAI's SDK: `python examples/openai_chat.py`."""

from openai import OpenAI

client = OpenAI(base_url="http://localhost:8080/v1", api_key="anything")
stream = client.chat.completions.create(
    model="gpt-4o",
    messages=[{"role": "user", "content": "Tell me something."}],
    stream=True,
    stream_options={"include_usage": True},
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
    if chunk.usage:
        print(f"\n{chunk.usage.total_tokens} tokens")
