"""Makes ``llmsim/data/request_fields.json``: which fields each provider's requests may have.

    python -m tests.sdk.request_fields > llmsim/data/request_fields.json

Taken from the types of the official SDKs that are installed here: ``TypedDict`` parameters of
openai and anthropic (with their betas), pydantic models of google-genai without what its
converters refuse to send to the Gemini API. The format is that of
:mod:`llmsim.providers.wire.fields`.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from anthropic.types.beta import message_count_tokens_params as anthropic_count
from anthropic.types.beta import message_create_params as anthropic_messages
from google.genai import models as genai_models
from google.genai import types as genai
from openai.types import (
    completion_create_params,
    embedding_create_params,
    image_create_variation_params,
    image_edit_params,
    image_generate_params,
    moderation_create_params,
)
from openai.types.beta import (
    assistant_create_params,
    assistant_update_params,
    thread_create_and_run_params,
    thread_create_params,
    thread_update_params,
)
from openai.types.beta.threads import (
    message_create_params,
    message_update_params,
    run_create_params,
    run_submit_tool_outputs_params,
    run_update_params,
)
from openai.types.chat import completion_create_params as chat
from openai.types.responses import response_create_params as responses
from pydantic import BaseModel
from typing_extensions import NotRequired, Required, get_type_hints, is_typeddict  # noqa: UP035  as the SDKs

from llmsim.providers.gemini.json_names import camel_name

Node = Any
"""A node of the format, as JSON."""

SDKS = ("anthropic", "google-genai", "openai")
TAGS = ("type", "role")
"""The fields that tell the members of a union apart."""

STILL_TAKEN = {
    "anthropic": ("temperature", "top_p", "top_k", "output_format"),
    "anthropic_count_tokens": ("output_format",),
}
"""Top-level fields that the API takes and the newest SDK does not offer any more."""

ALSO_TAKEN = {
    "openai.ChatCompletionAssistantMessageParam": ("annotations", "parsed"),
    "openai.types.responses.response_input_param.LocalShellCallOutput": ("call_id",),
}
"""Fields that are taken and that the SDK does not have: what answers have, which come back as they
were, and what guides send."""

GEMINI_SCHEMA_LACKS = {"additional_properties", "defs", "ref"}
"""Fields of google-genai's ``Schema`` that only Vertex AI takes (its ``t_schema`` says so)."""


def made() -> dict[str, Any]:
    """The whole file."""
    dicts, models = _TypedDicts(), _Models()
    roots = {
        "openai_chat": dicts.node(chat.CompletionCreateParamsStreaming),
        "openai_responses": dicts.node(responses.ResponseCreateParamsStreaming),
        "openai_completions": dicts.node(completion_create_params.CompletionCreateParamsStreaming),
        "openai_embeddings": dicts.node(embedding_create_params.EmbeddingCreateParams),
        "openai_images_generations": dicts.node(image_generate_params.ImageGenerateParamsStreaming),
        "openai_images_edits": dicts.node(image_edit_params.ImageEditParamsStreaming),
        "openai_images_variations": dicts.node(
            image_create_variation_params.ImageCreateVariationParams
        ),
        "openai_moderations": dicts.node(moderation_create_params.ModerationCreateParams),
        "openai_assistant_create": dicts.node(assistant_create_params.AssistantCreateParams),
        "openai_assistant_update": dicts.node(assistant_update_params.AssistantUpdateParams),
        "openai_thread_create": dicts.node(thread_create_params.ThreadCreateParams),
        "openai_thread_update": dicts.node(thread_update_params.ThreadUpdateParams),
        "openai_thread_message": dicts.node(message_create_params.MessageCreateParams),
        "openai_message_update": dicts.node(message_update_params.MessageUpdateParams),
        "openai_thread_run": dicts.node(
            thread_create_and_run_params.ThreadCreateAndRunParamsStreaming
        ),
        "openai_run_create": dicts.node(run_create_params.RunCreateParamsStreaming),
        "openai_run_update": dicts.node(run_update_params.RunUpdateParams),
        "openai_tool_outputs": dicts.node(
            run_submit_tool_outputs_params.RunSubmitToolOutputsParamsStreaming
        ),
        "anthropic": dicts.node(anthropic_messages.MessageCreateParamsStreaming),
        "anthropic_count_tokens": dicts.node(anthropic_count.MessageCountTokensParams),
        "gemini": models.generate(),
        "gemini_count_tokens": models.count_tokens(),
        "gemini_embed": models.embed(),
        "gemini_batch_embed": models.batch_embed(),
    }
    for request, names in STILL_TAKEN.items():
        dicts.types[roots[request]].update(dict.fromkeys(names))
    for kind, names in ALSO_TAKEN.items():
        dicts.types[kind].update(dict.fromkeys(names))
    dicts.finish()
    return {
        "made_from": {name: version(name) for name in SDKS},
        "requests": roots,
        "types": dict(sorted((dicts.types | models.types).items())),
    }


class _TypedDicts:
    """Nodes of ``TypedDict`` types."""

    def __init__(self) -> None:
        self.types: dict[str, Node] = {}
        self._open: list[str] = []
        self._kinds: dict[str, Any] = {}

    def node(self, kind: Any) -> Node:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Annotated, Required, NotRequired):
            return self.node(arguments[0])
        if is_typeddict(kind):
            return self._reference(kind)
        if origin in (Union, types.UnionType):
            return self._union(list(_members(kind)))
        if inspect.isclass(origin) and issubclass(origin, Mapping):
            inner = self.node(arguments[1])
            return None if inner is None else {"map": inner}
        if inspect.isclass(origin) and issubclass(origin, Iterable):
            return {"list": self.node(arguments[0])}
        return None if kind in (Any, object) or kind is dict else "scalar"

    def _reference(self, kind: Any) -> Node:
        name = f"{kind.__module__.split('.')[0]}.{kind.__name__}"
        if kind.__module__.endswith("_params") or not kind.__name__.endswith("Param"):
            # It may share its name with others.
            name = f"{kind.__module__}.{kind.__name__}"
        elif self._kinds.setdefault(name, kind) is not kind:
            name = f"{kind.__module__}.{kind.__name__}"
        if name not in self.types:
            self.types[name] = {}
            self.types[name] = {
                wire: self.node(inner)
                for key, inner in get_type_hints(kind, include_extras=True).items()
                if (wire := _wire_name(key, inner)) is not None
            }
        return name

    def _union(self, members: list[Any]) -> Node:
        objects = [one for one in members if is_typeddict(one)]
        others = [self.node(one) for one in members if not is_typeddict(one)]
        return self._merged([*others, *([self._objects(objects)] if objects else [])])

    def _objects(self, members: list[Any]) -> Node:
        for tag in TAGS if len(members) > 1 else ():
            tagged: dict[str, list[Node]] = {}
            untagged: list[Node] = []
            default = None
            for one in members:
                values, required = _tags(one, tag)
                if not values:
                    untagged.append(self.node(one))
                for value in values:
                    tagged.setdefault(value, []).append(self.node(one))
                    default = default if required else default or value
            if len(tagged) + bool(untagged) > 1 and tagged:
                node: dict[str, Node] = {
                    "by": tag,
                    "of": {value: self._merged(nodes) for value, nodes in sorted(tagged.items())},
                }
                if untagged:
                    node["else"] = self._merged(untagged)
                if default is not None:
                    node["default"] = default
                return node
        return self._merged([self.node(one) for one in members])

    def _merged(self, nodes: list[Node]) -> Node:
        """What takes all that any of the nodes takes: at most one node each for lists, maps and
        objects."""
        if any(one is None for one in nodes):
            return None
        lists = [one["list"] for one in nodes if isinstance(one, dict) and "list" in one]
        maps = [one["map"] for one in nodes if isinstance(one, dict) and "map" in one]
        tagged = [one for one in nodes if isinstance(one, dict) and "by" in one]
        names = sorted({one for one in nodes if isinstance(one, str) and one != "scalar"})
        kinds: list[Node] = []
        if lists:
            kinds.append({"list": self._merged(lists)})
        if maps:
            kinds.append({"map": self._merged(maps)})
        if tagged:
            kinds.append(self._all_tagged(tagged, names))
        elif names:
            kinds.append(self._together(names))
        return kinds[0] if len(kinds) == 1 else {"any": kinds} if kinds else "scalar"

    def _all_tagged(self, nodes: list[dict[str, Node]], names: list[Node]) -> Node:
        """Unions that the same tag tells apart, and types without it, as one."""
        tag = nodes[0]["by"]
        assert all(one["by"] == tag for one in nodes), nodes
        members: dict[str, list[Node]] = {}
        for one in nodes:
            for value, node in one["of"].items():
                members.setdefault(value, []).append(node)
            names = [*names, *([one["else"]] if "else" in one else [])]
        merged: dict[str, Node] = {
            "by": tag,
            "of": {value: self._merged(found) for value, found in sorted(members.items())},
        }
        if names:
            merged["else"] = self._merged(names)
        for one in nodes:
            if "default" in one:
                merged["default"] = one["default"]
        return merged

    def _together(self, names: list[str]) -> str:
        """The name of a type with the fields of all of these; :meth:`finish` gives it them."""
        if len(names) == 1:
            return names[0]
        name = "|".join(sorted({part for one in names for part in one.split("|")}))
        if name not in self.types:
            self.types[name] = {}
            self._open.append(name)
        return name

    def finish(self) -> None:
        """Fill in the types that are several others together, once those are whole."""
        while self._open:
            name = self._open.pop()
            nodes: dict[str, list[Node]] = {}
            for one in name.split("|"):
                for field, node in self.types[one].items():
                    nodes.setdefault(field, []).append(node)
            self.types[name] = {field: self._merged(found) for field, found in nodes.items()}


def _members(kind: Any) -> Iterator[Any]:
    for one in get_args(kind):
        if get_origin(one) in (Union, types.UnionType):
            yield from _members(one)
        elif get_origin(one) is Annotated:
            yield from _members(Union[get_args(one)[0], None])  # noqa: UP007  flattens
        elif one is not type(None):
            yield one


def _tags(kind: Any, tag: str) -> tuple[tuple[str, ...], bool]:
    """The values that a member's tag may have, and whether it must be there."""
    hint = get_type_hints(kind, include_extras=True).get(tag)
    required = get_origin(hint) is Required
    if get_origin(hint) in (Required, NotRequired):
        hint = get_args(hint)[0]
    values = [one for one in _members(Union[hint, None]) if get_origin(one) is Literal]  # noqa: UP007
    return tuple(value for one in values for value in get_args(one)), required


def _wire_name(key: str, hint: Any) -> str | None:
    """A field's name on the wire; None for one that is a header or a parameter of the query."""
    for part in _annotations(hint):
        alias = getattr(part, "alias", None)
        if alias is not None:
            return None if "-" in alias else str(alias)
    return key


def _annotations(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Required, NotRequired):
        yield from _annotations(get_args(hint)[0])
    elif get_origin(hint) is Annotated:
        yield from get_args(hint)[1:]


class _Models:
    """Nodes of google-genai's pydantic models."""

    def __init__(self) -> None:
        self.types: dict[str, Node] = {}
        self._lacking = {"Schema": set(GEMINI_SCHEMA_LACKS)}
        source = inspect.getsource(genai_models)
        for name, body in re.findall(
            r"\ndef _(\w+)_to_mldev\((.*?)(?=\ndef |\nclass )", source, re.DOTALL
        ):
            fields = re.findall(r"raise ValueError\(\s*'(\w+) parameter is ", body)
            self._lacking.setdefault(name, set()).update(fields)
        self._config = source[source.index("def _GenerateContentConfig_to_mldev") :]
        self._config = self._config[: self._config.index("\ndef ", 1)]

    def generate(self) -> Node:
        """The body of ``generateContent``, which the SDK puts together from its own config."""
        config = genai.GenerateContentConfig.model_fields
        top: dict[str, Node] = {
            "model": "scalar",
            "contents": {"list": self._model(genai.Content)},
        }
        inner: dict[str, Node] = {}
        for field, wire in self._written("parent_object"):
            top[wire] = self._node(config[field].annotation)
        for field, wire in self._written("to_object"):
            inner[wire] = self._node(config[field].annotation)
        top["systemInstruction"] = self._model(genai.Content)
        top["tools"] = {"list": self._model(genai.Tool)}
        inner["responseSchema"] = self._model(genai.Schema)
        inner["speechConfig"] = self._model(genai.SpeechConfig)
        inner["responseJsonSchema"] = None
        self._model(genai.GenerationConfig)
        # Older spelling of the same, which the API still takes.
        inner["_responseJsonSchema"] = None
        self.types["gemini.GenerationConfig"] = {
            **self.types["gemini.GenerationConfig"],
            **inner,
        }
        top["generationConfig"] = "gemini.GenerationConfig"
        self.types["gemini.GenerateContentRequest"] = top
        return "gemini.GenerateContentRequest"

    def count_tokens(self) -> Node:
        """The body of ``countTokens``: contents, or a whole request. ``systemInstruction`` and
        ``tools`` can only be in the latter."""
        self.types["gemini.CountTokensRequest"] = {
            "model": "scalar",
            "contents": {"list": self._model(genai.Content)},
            "generateContentRequest": self.generate(),
        }
        return "gemini.CountTokensRequest"

    def embed(self) -> Node:
        """The body of ``embedContent``."""
        source = inspect.getsource(genai_models)
        fields = re.findall(r"\['requests\[\]', '(\w+)'\]", source)
        self.types["gemini.EmbedContentRequest"] = {
            **dict.fromkeys(sorted({*fields, "model"}), "scalar"),
            "content": self._model(genai.Content),
        }
        return "gemini.EmbedContentRequest"

    def batch_embed(self) -> Node:
        """The body of ``batchEmbedContents``."""
        self.types["gemini.BatchEmbedContentsRequest"] = {"requests": {"list": self.embed()}}
        return "gemini.BatchEmbedContentsRequest"

    def _written(self, where: str) -> list[tuple[str, str]]:
        """Fields of the SDK's config that its converter writes there, and their names on the
        wire."""
        found = re.findall(
            rf"getv\(from_object, \['(\w+)'\]\) is not None:\s+setv\(\s*{where},\s*\['(\w+)'\]",
            self._config,
        )
        assert found
        return found

    def _model(self, kind: type[BaseModel]) -> Node:
        name = f"gemini.{kind.__name__}"
        if name not in self.types:
            self.types[name] = {}
            lacking = self._lacking.get(kind.__name__, set())
            self.types[name] = {
                camel_name(key): self._node(field.annotation)
                for key, field in kind.model_fields.items()
                if key not in lacking
            }
        return name

    def _node(self, kind: Any) -> Node:
        if inspect.isclass(kind) and issubclass(kind, BaseModel):
            return self._model(kind)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            nodes = [self._node(one) for one in arguments if one is not type(None)]
            return nodes[0] if len(nodes) == 1 else None
        if origin is list:
            inner = self._node(arguments[0])
            return {"list": inner}
        if origin is dict:
            inner = self._node(arguments[1])
            return {"map": inner} if isinstance(inner, str) and inner != "scalar" else None
        return None if kind is Any or kind is object else "scalar"


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(made(), option=orjson.OPT_INDENT_2) + b"\n")
