"""Anthropic Messages: the content blocks of a request (``types.content_block_param``)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Raw, Struct

CHARACTERS_PER_TOKEN = 4  # of blocks that the service adds to a conversation by itself
BASE64_PER_TOKEN = 48
PAGE = 1500  # tokens; a page of a PDF takes 1,500 to 3,000 (guide to PDF support)


class CacheControl(Struct):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None

    @property
    def seconds(self) -> int:
        return 3600 if self.ttl == "1h" else 300


class Block(Struct, tag_field="type", kw_only=True):
    """The member that all blocks have."""

    cache_control: CacheControl | None = None


class TextBlock(Block, tag="text"):
    text: str


class Base64Source(Struct, tag="base64", tag_field="type"):
    data: str
    media_type: str


class URLSource(Struct, tag="url", tag_field="type"):
    url: str


class FileSource(Struct, tag="file", tag_field="type"):
    file_id: str


class TextSource(Struct, tag="text", tag_field="type"):
    data: str


class ImageBlock(Block, tag="image"):
    source: Base64Source | URLSource | FileSource


class ContentSource(Struct, tag="content", tag_field="type"):
    content: str | list[TextBlock | ImageBlock]


class CitationsConfig(Struct):
    enabled: bool | None = None


class DocumentBlock(Block, tag="document"):
    source: Base64Source | URLSource | FileSource | TextSource | ContentSource
    title: str | None = None
    context: str | None = None
    citations: CitationsConfig | None = None


class SearchResultBlock(Block, tag="search_result"):
    source: str
    title: str
    content: list[TextBlock]


class ToolReferenceBlock(Block, tag="tool_reference"):
    tool_name: str


class ThinkingBlock(Block, tag="thinking"):
    thinking: str
    signature: str


class RedactedThinkingBlock(Block, tag="redacted_thinking"):
    data: str


class ToolUseBlock(Block, tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any]


class ServerToolUseBlock(Block, tag="server_tool_use"):
    id: str
    name: str
    input: dict[str, Any]


class ServerResult(Block):
    """The result of a tool that runs at the service."""

    tool_use_id: str
    content: Raw


class WebSearchResult(ServerResult, tag="web_search_tool_result"):
    pass


class WebFetchResult(ServerResult, tag="web_fetch_tool_result"):
    pass


class CodeExecutionResult(ServerResult, tag="code_execution_tool_result"):
    pass


class BashResult(ServerResult, tag="bash_code_execution_tool_result"):
    pass


class TextEditorResult(ServerResult, tag="text_editor_code_execution_tool_result"):
    pass


class ToolSearchResult(ServerResult, tag="tool_search_tool_result"):
    pass


class AdvisorResult(ServerResult, tag="advisor_tool_result"):
    pass


class MCPToolUseBlock(ServerToolUseBlock, tag="mcp_tool_use"):
    server_name: str


class MCPToolResult(ServerResult, tag="mcp_tool_result"):
    content: Raw = Raw(b"[]")


class CompactionBlock(Block, tag="compaction"):
    """A summary of the conversation before this block; without ``content`` it could not be made."""

    content: str | None = None


class Marker(Block):
    """A note to the service about the conversation, which is not part of its text."""


class ToolAddition(Marker, tag="tool_addition"):
    pass


class ToolRemoval(Marker, tag="tool_removal"):
    pass


class MCPToolListing(Marker, tag="mcp_tool_listing"):
    pass


class FallbackBlock(Marker, tag="fallback"):
    pass


class BrowserState(Marker, tag="browser_state"):
    pass


class ContainerUploadBlock(Block, tag="container_upload"):
    file_id: str


Returned = (
    TextBlock | ImageBlock | DocumentBlock | SearchResultBlock | ToolReferenceBlock | BrowserState
)


class ToolResultBlock(Block, tag="tool_result"):
    tool_use_id: str
    content: str | list[Returned] | None = None
    is_error: bool | None = None


AnyBlock = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ToolResultBlock
    | ServerToolUseBlock
    | WebSearchResult
    | WebFetchResult
    | CodeExecutionResult
    | BashResult
    | TextEditorResult
    | ToolSearchResult
    | AdvisorResult
    | MCPToolUseBlock
    | MCPToolResult
    | CompactionBlock
    | ToolAddition
    | ToolRemoval
    | MCPToolListing
    | FallbackBlock
    | ContainerUploadBlock
)
