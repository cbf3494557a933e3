"""Biases inside the vectors: constant columns and directions of either side."""

from __future__ import annotations

from simgauge.auditing.workspace import Workspace
from simgauge.core.gauges.folded_bias import constant_columns, constant_direction
from simgauge.findings import Finding


def folded_bias(workspace: Workspace) -> Finding:
    """Bias or constant columns inside the vectors."""
    items, users = workspace.items, workspace.embedding.users
    names: list[str] = []
    if users is not None and min(len(users), len(items)) > 1:
        for column in workspace.biases:
            other = {"items": "users", "users": "items", "both": "both tables"}[column.side]
            names.append(
                f"column {column.column} of {column.side} is a bias (constant {column.multiplier:g} in {other})"
            )
        direction = constant_direction(users)
        if direction.found and not names:
            names.append("users hold a constant direction, so an item bias is mixed into the columns")
    else:
        names = [f"column {column.column} is constant ({column.value:g})" for column in constant_columns(items)]
    return Finding(
        id="folded_bias",
        title="Biases inside the vectors",
        value=float(len(names)),
        summary="; ".join(names) if names else "no bias or constant column was found",
        verdict=workspace.thresholds["folded_bias"].judge(float(len(names))),
        cause="some libraries append biases to the factors so that one dot product gives the whole score",
        action="take it out before using the cosine (simgauge audit --drop-bias, or center='users')"
        if names
        else "none",
        verify="the same check after dropping the column",
        gauge_dependent=False,
        group="identifiability",
        details={"found": names},
    )
