"""Edits of the configuration in effect, and what a faulty one is answered with."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pytest

from llmsim.config import Config
from llmsim.config.nodes import Node, Place
from llmsim.core.errors import ConfigError
from llmsim.runtime import editor
from llmsim.runtime.editor import ConfigEditor, Reload, WholeServer, faults_as_json, parsed
from llmsim.state.shm.segment import Cursor
from tests.runtime.worker import Worker, configured

FILE = """
seed: 1
response: {target_tokens: 7}
mocks:
- {name: a, response: A}
- {name: b, response: B}
- {response: C}
control: {token: s3cret}
keys: [sk-secret]
"""
WHERE = "PATCH /llmsim/config"
PLACE = Place(WHERE)


def json(value: object) -> Callable[[], Node]:
    """A value as a request's body has it."""
    return partial(parsed, orjson.dumps(value), False, WHERE)


class Scene:
    """A worker that was started with :data:`FILE`, whose text may have changed since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = FILE
        self.start = self.read()
        self.worker = Worker(self.start, folder)
        self.worker.follow()
        self.worker.clock.woken = self.worker.take_over
        self.editor = ConfigEditor(WholeServer(self.worker.holder, self.worker.shared), self.read)

    def read(self) -> Config:
        return configured(self.file, self.folder)

    def edit(self, edit: Callable[[ConfigEditor], Awaitable[object]]) -> Config:
        """The configuration in effect after an edit."""

        async def run() -> None:
            await edit(self.editor)

        asyncio.run(run())
        return self.worker.config

    def refused(self, edit: Callable[[ConfigEditor], Awaitable[object]]) -> list[dict[str, object]]:
        """The faults of an edit, which changes nothing."""
        before = self.worker.config
        with pytest.raises(ConfigError) as caught:
            self.edit(edit)
        assert self.worker.store.read() == before
        return list(faults_as_json(caught.value))

    @property
    def mocks(self) -> list[object]:
        section = self.editor.section("mocks")
        assert isinstance(section, list)
        return [mock.get("name") for mock in section]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_document_has_what_is_in_effect_but_no_secret(scene: Scene) -> None:
    document = scene.editor.document()
    assert document["seed"] == 1
    assert document["response"]["target_tokens"] == 7  # type: ignore[index]
    assert "keys" not in document
    assert b"s3cret" not in orjson.dumps(document)


def test_a_section_is_part_of_the_document(scene: Scene) -> None:
    assert scene.editor.section("seed") == 1
    assert scene.editor.section("keys") is None
    assert scene.editor.section("scripts") is None


def test_a_patch_merges_into_a_section(scene: Scene) -> None:
    config = scene.edit(lambda to: to.patch("response", json({"refusal_rate": 0.5})))
    assert (config.response.target_tokens, config.response.refusal_rate) == (7, 0.5)


def test_a_replaced_section_has_nothing_of_the_old_one(scene: Scene) -> None:
    config = scene.edit(lambda to: to.replace("response", json({"refusal_rate": 0.5})))
    assert config.response == replace(Config().response, refusal_rate=0.5)
    assert scene.edit(lambda to: to.replace("response", json(None))).response == Config().response


@pytest.mark.parametrize(("whole", "tokens"), [(False, 7), (True, Config().response.target_tokens)])
def test_several_sections_are_patched_or_replaced(scene: Scene, whole: bool, tokens: int) -> None:
    change = json({"seed": 5, "response": {"refusal_rate": 0.5}})
    config = scene.edit(lambda to: to.patch_all(change, whole))
    assert (config.seed, config.response.refusal_rate) == (5, 0.5)
    assert config.response.target_tokens == tokens
    assert len(config.mocks) == 3


def test_a_new_entry_comes_first(scene: Scene) -> None:
    scene.edit(lambda to: to.insert("mocks", json({"name": "new", "response": "N"})))
    assert scene.mocks == ["new", "a", "b", None]


def test_a_new_entry_may_be_the_only_one(scene: Scene) -> None:
    scene.edit(lambda to: to.replace("mocks", json(None)))
    scene.edit(lambda to: to.insert("mocks", json({"name": "new", "response": "N"})))
    assert scene.mocks == ["new"]


def test_an_entry_is_removed_by_name(scene: Scene) -> None:
    scene.edit(lambda to: to.remove("mocks", "a", PLACE))
    assert scene.mocks == ["b", None]


EDITS: list[tuple[Callable[[ConfigEditor], Awaitable[object]], str, str]] = [
    (lambda to: to.patch("response", json({"target_tokens": 0})), "response.target_tokens", "1"),
    (lambda to: to.patch("response", json({"target": 1})), "response.target", "unknown key"),
    (lambda to: to.replace("server", json({"port": 1})), "server", "cannot be changed"),
    (lambda to: to.patch_all(json({"sed": 1}), False), "sed", "did you mean seed"),
    (lambda to: to.insert("mocks", json({"name": "c"})), "mocks[0].response", "missing"),
    (lambda to: to.remove("mocks", "c", PLACE), "mocks", "no entry has the name 'c'"),
    (lambda to: to.remove("scripts", "c", PLACE), "scripts", "no entry has the name 'c'"),
]


@pytest.mark.parametrize(("edit", "key", "message"), EDITS)
def test_a_faulty_edit_changes_nothing_and_names_the_key(
    scene: Scene, edit: Callable[[ConfigEditor], Awaitable[object]], key: str, message: str
) -> None:
    faults = scene.refused(edit)
    assert [fault["key"] for fault in faults] == [key]
    assert message in str(faults[0]["message"])


def test_all_faults_of_an_edit_are_named(scene: Scene) -> None:
    change = json({"seed": -1, "response": {"target_tokens": 0}})
    faults = scene.refused(lambda to: to.patch_all(change, False))
    assert [fault["key"] for fault in faults] == ["seed", "response.target_tokens"]


def test_a_reload_takes_what_can_change_and_names_the_rest(scene: Scene) -> None:
    scene.edit(lambda to: to.patch("response", json({"refusal_rate": 0.5})))
    scene.file = FILE.replace("seed: 1", "seed: 2\nserver: {port: 1234}")
    assert asyncio.run(scene.editor.reload()) == ("server",)
    config = scene.worker.config
    assert (config.seed, config.server) == (2, scene.start.server)
    assert config.response == scene.start.response


def test_a_reload_of_the_same_file_undoes_edits(scene: Scene) -> None:
    scene.edit(lambda to: to.patch("response", json({"target_tokens": 70})))
    assert asyncio.run(scene.editor.reload()) == ()
    assert scene.worker.config == scene.start


def test_a_reload_of_a_faulty_file_changes_nothing(scene: Scene) -> None:
    scene.file = FILE + "sed: 1\n"
    (fault,) = scene.refused(lambda to: to.reload())
    assert fault["key"] == "sed"
    assert isinstance(fault["line"], int)


def test_a_reload_says_nothing_before_it_was_applied(scene: Scene) -> None:
    reload = Reload(lambda: replace(scene.start, validation="strict"))
    assert reload.needs_restart == ()
    assert reload(scene.start) == scene.start
    assert reload.needs_restart == ("validation",)


def test_a_reset_starts_over_with_what_decides_about_requests(scene: Scene) -> None:
    shared = scene.worker.shared
    cursors = (Cursor.TURN, Cursor.RANDOM_FAULTS)
    for cursor in cursors:
        shared.segment.advance(cursor)
    shared.named_counters.advance("mock")
    shared.counters.started()
    asyncio.run(scene.editor.reset())
    assert [shared.segment.reached(cursor) for cursor in cursors] == [0, 0]
    assert shared.named_counters.advance("mock") == 0
    assert shared.counters.active == 1, "statistics go on"


def test_the_timetable_begins_again(scene: Scene) -> None:
    segment = scene.worker.shared.segment
    segment.put(Cursor.TIMETABLE, 0)
    before = scene.worker.shared.elapsed()
    asyncio.run(scene.editor.restart_timetable())
    assert 0 <= scene.worker.shared.elapsed() < before


@pytest.mark.parametrize(
    ("body", "yaml", "message"),
    [
        (b'{"a": 1', False, "the body is not valid JSON"),
        (b"", False, "the body is not valid JSON"),
        (b"\xff", True, "the body is not text in UTF-8"),
        (b"a: [", True, ""),
        (b"a: 1\na: 2", True, "a"),
        (b" " * (editor.MAX_BYTES + 1), False, f"larger than the {editor.MAX_BYTES} bytes"),
    ],
)
def test_a_body_that_cannot_be_read(body: bytes, yaml: bool, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(body, yaml, WHERE)
    (fault,) = caught.value.faults
    assert fault.where == WHERE
    assert message in str(fault)


@pytest.mark.parametrize(
    ("body", "yaml"),
    [
        (b'{"refusal_rate": 0.5}', False),
        (b"refusal_rate: 0.5", True),
        (b"\xef\xbb\xbfrefusal_rate: 0.5", True),
    ],
)
def test_a_change_is_json_or_yaml(scene: Scene, body: bytes, yaml: bool) -> None:
    config = scene.edit(lambda to: to.patch("response", partial(parsed, body, yaml, WHERE)))
    assert config.response.refusal_rate == 0.5


def test_yaml_that_is_nested_without_end_is_refused_in_no_time() -> None:
    began = time.process_time()
    with pytest.raises(ConfigError, match=r"YAML|deep"):
        parsed(b"[" * 2000 + b"]" * 2000, True, "PATCH /x")
    assert time.process_time() - began < 0.3
