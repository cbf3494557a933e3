"""The two sides beside each other: whether their means differ, as those of queries and documents should not."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.tables.algebra import column_means
from simgauge.findings import SEVERITY, Finding, Verdict

COMPARED = ("cosines", "one encoder", "rows and columns")
"""What losses see that compare rows of both sides as things of one kind."""


def mean_gap(workspace: Workspace) -> float | None:
    """Share of the mean squared distance between rows of the two sides that is the distance of their means.

    Less what samples of these sizes would show if the means were the same. None for a single table.

    Gauge
    -----
    Depends on it, as lengths do; not on rotations.
    """
    users = workspace.embedding.users
    if users is None:
        return None
    user_scale, item_scale = _relative_scales(workspace)
    mean_user, items = column_means(users), workspace.moments
    spreads = [
        max(float(np.trace(workspace.user_gram)) / len(users) - float(mean_user @ mean_user), 0.0) * user_scale**2,
        float(np.trace(items.scatter)) / items.n_rows * item_scale**2,
    ]
    apart = float(np.sum((mean_user * user_scale - items.mean * item_scale) ** 2))
    by_chance = spreads[0] / len(users) + spreads[1] / items.n_rows
    total = apart + sum(spreads)
    return max(apart - by_chance, 0.0) / total if total > 0 else 0.0


def _relative_scales(workspace: Workspace) -> tuple[float, float]:
    """What to multiply users and items by to have them in one scale, the larger 1: each may have been brought in range
    by a factor of its own."""
    scales = workspace.user_scale, workspace.item_scale
    return scales[0] / max(scales), scales[1] / max(scales)


def side_means(workspace: Workspace) -> Finding | None:
    """Whether the rows of one side are all shifted against those of the other; None for a single table."""
    gap = mean_gap(workspace)
    if gap is None:
        return None
    users = workspace.embedding.users
    user_norm = float(np.linalg.norm(column_means(users))) * workspace.user_scale
    item_norm = float(np.linalg.norm(workspace.moments.mean)) * workspace.item_scale
    summary = (
        f"{gap:.0%} of the squared distance between a user and an item is the distance of the two means (norms of the "
        f"means: users {user_norm:.3g}, items {item_norm:.3g})"
    )
    verdict = gap_verdict(workspace)
    if verdict == "info":
        summary += "; with this objective the two sides need not lie in one place"
    return Finding(
        id="side_means",
        title="Means of the two sides",
        value=gap,
        summary=summary,
        verdict=verdict,
        cause="an offset of one side adds the same number to all its dot products with an item: some items then are "
        "near to "
        "every query, whatever it asks",
        action=CENTRE_EACH_SIDE if SEVERITY[verdict] else "none",
        verify="audit the centred tables: this share must be near 0, and fewer hubs be left",
        gauge_dependent=True,
        group="geometry",
        details={"share": gap},
    )


CENTRE_EACH_SIDE = (
    "subtract from each side its own mean, also from every new query, before taking cosines: "
    "gauge_transform(embedding, "
    "np.eye(k), item_shift=-items.mean(0), user_shift=-users.mean(0)). Rankings change, as the offset ranks items by "
    "itself; dot product in place of cosine does "
    "not take it out"
)


def gap_verdict(workspace: Workspace) -> Verdict:
    """Judged for encoders, which compare both sides; in a recommender the mean user carries what is popular."""
    gap = mean_gap(workspace)
    one_kind = workspace.objective.sees in COMPARED or workspace.objective_name == "contrastive"
    return workspace.thresholds["side_means"].judge(gap) if gap is not None and one_kind else "info"
