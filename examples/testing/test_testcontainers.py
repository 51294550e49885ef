"""Testcontainers: the server is a container beside those of the application."""

import json
import time
import urllib.request
from collections.abc import Iterator
from urllib.error import URLError

import pytest
from docker.errors import DockerException
from openai import OpenAI
from testcontainers.core.container import DockerContainer

IMAGE = "llmsim:0.1.0"
COMMAND = "serve --host 0.0.0.0 --port 8080 --workers 1 --latency instant"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    try:
        container = DockerContainer(IMAGE)
    except DockerException as error:
        pytest.skip(f"Docker does not run here: {error}")
    with container.with_command(COMMAND).with_exposed_ports(8080):
        found = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8080)}"
        wait_until_ready(f"{found}/ready")
        yield found


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (URLError, ConnectionError):
            assert time.monotonic() < deadline, f"{url} is not ready"
            time.sleep(0.1)


def test_a_mock(url: str) -> None:
    mock = {"match": {"content_contains": "weather"}, "response": {"content": "Sunny."}}
    head = {"content-type": "application/json"}
    sent = urllib.request.Request(f"{url}/llmsim/mocks", json.dumps(mock).encode(), head)
    urllib.request.urlopen(sent).close()
    client = OpenAI(base_url=f"{url}/v1", api_key="any")
    answer = client.responses.create(model="gpt-5", input="How is the weather?")
    assert answer.output_text == "Sunny."
