"""simgauge mcp: audit, neighbors, compare and check for programs that speak the Model Context Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def mcp(
    root: Annotated[Path, typer.Option(help="Directory below which files may be read; nothing outside is.")],
) -> None:
    """Serve read-only tools over the Model Context Protocol, on standard input and output."""
    from simgauge.serving.mcp_server import mcp_server

    mcp_server(root).run("stdio")
