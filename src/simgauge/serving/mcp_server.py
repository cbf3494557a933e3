"""The tools over the Model Context Protocol, with the official SDK."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simgauge.errors import SimgaugeError, optional_import
from simgauge.serving.root import Root
from simgauge.serving.tools import Tools

NAMES = ("audit", "neighbors", "compare", "check")


def mcp_server(root: str | Path) -> Any:
    """A server with the read-only tools audit, neighbors, compare and check.

    Parameters
    ----------
    root : str or Path
        The directory below which files may be read; see `simgauge.serving.root`.

    Returns
    -------
    mcp.server.mcpserver.MCPServer
        ``run("stdio")`` serves it.

    Raises
    ------
    InputError
        The root is no directory.
    MissingDependencyError
        The package mcp is not installed.
    """
    from simgauge import __version__

    tools = Tools(Root(root))
    sdk = optional_import("mcp.server.mcpserver", extra="mcp", purpose="serve the Model Context Protocol")
    types = optional_import("mcp.types", extra="mcp", purpose="serve the Model Context Protocol")
    errors = optional_import("mcp.server.mcpserver.exceptions", extra="mcp", purpose="serve the Model Context Protocol")
    server = sdk.MCPServer(
        "simgauge",
        instructions="Is cosine similarity of these embeddings about similarity? Read-only; paths lie below one root.",
        version=__version__,
    )
    hints = types.ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    for name in NAMES:
        server.tool(name, annotations=hints)(_answering(getattr(tools, name), tools, errors.ToolError))
    return server


def _answering(
    tool: Callable[..., dict[str, Any]], tools: Tools, error_of_tools: type[Exception]
) -> Callable[..., Any]:
    """The tool with its errors as errors of tools, in one line."""

    @functools.wraps(tool)
    def answer(**given: Any) -> dict[str, Any]:
        try:
            return tools.without_root(tool(**given))
        except (SimgaugeError, MemoryError, OSError) as error:
            text = str(error) if isinstance(error, SimgaugeError) else f"cannot be done: {type(error).__name__}"
            line = " ".join(text.split())
            raise error_of_tools(line.replace(f"{tools.root.directory}/", "")) from error

    return answer
