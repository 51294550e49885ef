"""The pytest plugin, in test suites of others: each is run by a pytest of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import llmsim

ROOT = Path(llmsim.__file__).parents[1]
INSTALLED = any(one.name == "llmsim" for one in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "llmsim.testing.plugin")

APPLICATION = """
import anthropic, openai

def ask(question):
    messages = [{"role": "user", "content": question}]
    made = openai.OpenAI().chat.completions.create(model="gpt-4o", messages=messages)
    return made.choices[0].message.content

def ask_claude(question):
    messages = [{"role": "user", "content": question}]
    client = anthropic.Anthropic()
    made = client.messages.create(model="claude-haiku-4-5", max_tokens=99, messages=messages)
    return made.content[0].text
"""

Suite = Callable[..., str]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run a test suite; what pytest says. It has to end with that exit code."""

    def run(text: str, *args: str, code: int = 0, conftest: str = "") -> str:
        (tmp_path / "application.py").write_text(APPLICATION)
        (tmp_path / "conftest.py").write_text(conftest)
        (tmp_path / "test_it.py").write_text(text)
        environ = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
        environ["PYTHONPATH"] = os.pathsep.join((str(tmp_path), str(ROOT)))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, *args]
        ended = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    return run


def test_an_application_with_two_sdks_in_twenty_lines(suite: Suite) -> None:
    suite("""
import application

def test_openai(llmsim):
    llmsim.mock(match={"content_contains": "weather"}, response={"content": "Sunny."})
    assert application.ask("How is the weather?") == "Sunny."
    llmsim.assert_called(times=1, model="gpt-*", contains="weather")

def test_anthropic(llmsim):
    llmsim.mock(response="Hello!")
    assert application.ask_claude("Hi") == "Hello!"
    assert llmsim.requests[0].messages == [{"role": "user", "content": "Hi"}]
    llmsim.assert_not_called(model="gpt-*")
""")


def test_failures_limits_latency_and_what_was_sent(suite: Suite) -> None:
    suite("""
import application, openai, pytest

def test_failures(llmsim):
    llmsim.mock(response="Recovered.")
    llmsim.fail_next(429, times=2)
    assert application.ask("Hi") == "Recovered."
    assert [one.status for one in llmsim.requests] == [429, 429, 200]
    first, _, last = llmsim.requests
    assert (first.error, first.answer["error"]["type"]) == ("rate_limit", "requests")
    assert last.mock == "mock-1"
    assert last.answer["choices"][0]["message"]["content"] == "Recovered."
    assert last.usage["completion"] == 2
    assert (last.method, last.path) == ("POST", "/v1/chat/completions")
    assert last.headers["user-agent"].startswith("OpenAI/Python")
    assert "llmsim" not in last.headers["authorization"].partition("…")[0][-7:]

def test_the_same_failure_again(llmsim):
    for _ in range(2):
        llmsim.fail_next(503, match={"content_contains": "Hi"})
        assert application.ask("Hi")
    assert [one.status for one in llmsim.requests] == [503, 200, 503, 200]

def test_limits(llmsim):
    llmsim.limits(requests_per_minute=1)
    client = openai.OpenAI(max_retries=0)
    client.responses.create(model="gpt-5", input="Hi")
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="gpt-5", input="Hi")

def test_nothing_is_left_of_the_tests_before(llmsim):
    assert llmsim.requests == []
    openai.OpenAI().responses.create(model="gpt-5", input="Hi")
    assert len(llmsim.unmatched) == 1

def test_latency(llmsim):
    llmsim.latency(ttft_ms=40, itl_ms=0)
    application.ask("Hi")
    assert llmsim.requests[0].raw["planned"]["total_ms"] == pytest.approx(40)

def test_tools(llmsim):
    tool = {"type": "function", "name": "lookup", "parameters": {"type": "object"}}
    openai.OpenAI().responses.create(model="gpt-5", input="Hi", tools=[tool])
    llmsim.assert_called(tool="lookup")
    llmsim.assert_not_called(tool="other")
""")


def test_messages_show_the_nearest_request(suite: Suite) -> None:
    said = suite(
        """
import application

def test_it(llmsim):
    application.ask("How is the weather in Paris?")
    application.ask("Who are you?")
    llmsim.assert_called(times=2, contains="weather in London")

def test_none(llmsim):
    llmsim.assert_called()

def test_some(llmsim):
    application.ask("Hi")
    llmsim.assert_not_called()

def test_a_mock_that_cannot_be(llmsim):
    llmsim.mock(match={"content_contain": "x"}, response="y")
""",
        code=1,
    )
    assert "expected 2 requests with contains='weather in London', got 0" in said
    assert "nearest: </v1/chat/completions gpt-4o 200 'How is the weather in Paris?'>" in said
    assert "its text is 'How is the weather in Paris?'" in said
    assert "expected at least one request, got 0: there was no request at all" in said
    assert "expected no request, got 1" in said
    assert "content_contain: unknown key (did you mean content_contains?)" in said


def test_what_no_mock_answers_may_fail(suite: Suite) -> None:
    suite(
        """
import application, openai, pytest

def test_it(llmsim):
    llmsim.mock(match={"content_contains": "weather"}, response="Sunny.")
    assert application.ask("weather?") == "Sunny."
    with pytest.raises(openai.NotFoundError):
        application.ask("What else?")
    llmsim.fail_next(404, match={"content_contains": "lost"})
    llmsim.configure(models={"unknown": "reject"})
    for question, model in (("lost?", "gpt-4o"), ("weather?", "nobody's")):
        messages = [{"role": "user", "content": question}]
        with pytest.raises(openai.NotFoundError):
            openai.OpenAI().chat.completions.create(model=model, messages=messages)
    assert [one.status for one in llmsim.requests] == [200, 404, 404, 404]
    assert [one.text for one in llmsim.unmatched] == ["What else?"]
""",
        conftest="""
import pytest

@pytest.fixture(scope="session")
def llmsim_config():
    return {"latency": {"profile": "instant"}, "on_miss": "fail"}
""",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_tests_at_the_same_time_share_a_server_and_see_nothing_of_each_other(
    suite: Suite, tmp_path: Path
) -> None:
    """200 tests, four processes, one server, which ends with them."""
    suite(
        """
import application, json, os, pathlib, pytest, urllib.request

@pytest.mark.parametrize("number", range(200))
def test_it(llmsim, llmsim_server, number):
    pathlib.Path("urls").mkdir(exist_ok=True)
    pathlib.Path("urls", llmsim_server.url.rpartition(":")[2]).touch()
    llmsim.mock(response=f"answer {number}", times=1)
    llmsim.fail_next(503, match={"content_contains": "question"})
    found = []
    for _ in range(2):
        body = json.dumps({"model": "gpt-4o", "input": f"question {number}"}).encode()
        sent = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/responses", body)
        try:
            with urllib.request.urlopen(sent) as answer:
                found.append(json.load(answer)["output"][0]["content"][0]["text"])
        except urllib.error.HTTPError as error:
            found.append(error.code)
    assert found == [503, f"answer {number}"]
    assert [one.text for one in llmsim.requests] == [f"question {number}"] * 2
    llmsim.assert_called(times=2, contains=f"question {number}")
""",
        *("-n", "4"),
    )
    (port,) = os.listdir(tmp_path / "urls")
    assert port.isdigit()


def test_who_uses_no_fixture_has_no_server(suite: Suite) -> None:
    suite("""
import sys

def test_it():
    loaded = {one for one in sys.modules if one.startswith("llmsim")}
    assert loaded <= {"llmsim", "llmsim.testing", "llmsim.testing.plugin"}
""")
