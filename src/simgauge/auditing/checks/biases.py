"""Biases inside the vectors: constant columns and constant directions of either side, each with its own cure."""

from __future__ import annotations

from simgauge.auditing.workspace import Workspace
from simgauge.core.gauges.canonical import Center, center_of
from simgauge.core.gauges.folded_bias import constant_columns, constant_direction
from simgauge.core.tables.kinds import Table
from simgauge.findings import Finding


def folded_bias(workspace: Workspace) -> Finding:
    """Bias or constant columns inside the vectors, and those that a change of gauge has mixed into the others."""
    users = workspace.embedding.users
    if users is not None and min(len(users), len(workspace.items)) > 1:
        columns, mixed = _of_two_tables(workspace, users)
    else:
        columns, mixed = _of_one_table(workspace.items)
    # a bias of the items makes the users constant: what is centred is the constant side
    sides = {{"items": "users", "users": "items"}[owner] for owner in mixed}
    names = columns + list(mixed.values())
    return Finding(
        id="folded_bias",
        title="Biases inside the vectors",
        value=float(len(names)),
        summary="; ".join(names) if names else "no bias or constant column was found",
        verdict=workspace.thresholds["folded_bias"].judge(float(len(names))),
        cause="some libraries append biases to the factors so that one dot product gives the whole score; a rotation "
        "or "
        "another change of gauge then spreads them over all columns",
        action=_action(bool(columns), center_of(sides), one_table=users is None),
        verify="repeat this check afterwards",
        gauge_dependent=False,
        group="identifiability",
        details={"found": names, "mixed_in": sorted(mixed), "center": center_of(sides)},
    )


def _of_two_tables(workspace: Workspace, users: Table) -> tuple[list[str], dict[str, str]]:
    """Biases by column, and those mixed into all columns by the side that they belong to."""
    columns = [
        f"column {column.column} of {column.side} is a bias (constant {column.multiplier:g} in "
        f"{ {'items': 'users', 'users': 'items', 'both': 'both tables'}[column.side] })"
        for column in workspace.biases
    ]
    by_column = {column.side for column in workspace.biases}
    mixed = {}
    for owner, constant, table in (("items", "users", users), ("users", "items", workspace.items)):
        if not by_column & {owner, "both"} and constant_direction(table).found:
            mixed[owner] = f"{constant} hold a constant direction, so a bias of the {owner} is mixed into the columns"
    return columns, mixed


def _of_one_table(items: Table) -> tuple[list[str], dict[str, str]]:
    columns = [f"column {column.column} is constant ({column.value:g})" for column in constant_columns(items)]
    if columns or not constant_direction(items).found:
        return columns, {}
    return [], {
        "users": "items hold a constant direction: a bias of the other side is mixed into the columns, or all rows "
        "have "
        "one sum"
    }


def _action(columns: bool, center: Center, *, one_table: bool) -> str:
    """Columns can be dropped; what is mixed in goes with the mean of the side that it makes constant."""
    steps = []
    if columns:
        steps.append("drop the columns" if one_table else "drop the columns (simgauge audit --drop-bias)")
    if center == "items":
        what = "canonical_gauge(power=0, center='items')" if one_table else "center='both', or 'items' alone"
        steps.append(f"subtract the mean item ({what}); center='users' does not take out a bias of the users")
    elif center != "none":
        whose = "mean user" if center == "users" else "means of both sides"
        steps.append(f"subtract the {whose} (center={center!r})")
    return " and ".join(steps) + ", before using the cosine" if steps else "none"
