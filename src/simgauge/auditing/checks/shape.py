"""Shape of the cloud of vectors: directions used, common direction, single columns, norms. One pass over the table."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.geometry.axes import axis_shares
from simgauge.core.geometry.effective_rank import effective_rank, isoscore, participation_ratio, rankme
from simgauge.core.geometry.norms import norm_spread
from simgauge.core.geometry.random_cosine import centered_random_cosine, mean_random_cosine
from simgauge.findings import Finding
from simgauge.wording import counted


def random_cosine(workspace: Workspace) -> Finding:
    """Mean cosine of two random items, before and after centring."""
    value = mean_random_cosine(workspace.moments)
    centered = centered_random_cosine(workspace.items, workspace.moments.mean)
    return workspace.finding(
        "random_cosine",
        "Cosine of unrelated items",
        value,
        f"two random items have a cosine of {value:.2f} on average; {centered:.2f} after centring",
        cause="a direction that all vectors share (often popularity or frequency) adds the same amount to every cosine",
        action="centre the vectors, or read cosines relative to this level rather than against a fixed threshold",
        verify="repeat after subtracting the mean vector",
        details={"centered": centered},
    )


def directions_used(workspace: Workspace) -> Finding:
    """How many of the dimensions carry the vectors."""
    k = workspace.embedding.n_components
    sigma = workspace.moments.singular_values()
    value = rankme(sigma) / min(k, workspace.embedding.n_items)
    return workspace.finding(
        "effective_rank",
        "Directions in use",
        value,
        f"RankMe is {rankme(sigma):.1f} of {k} dimensions ({value:.0%})",
        cause="few directions carry most of the length: the others hardly matter to the cosine",
        action="fewer components, or a gauge that weighs weak directions more (smaller α)",
        verify="compare held-out recall along α",
        details={
            "rankme": rankme(sigma),
            "effective_rank": effective_rank(sigma),
            "participation_ratio": participation_ratio(workspace.moments.variances()),
        },
    )


def evenness(workspace: Workspace) -> Finding:
    """IsoScore: is the variance the same in all directions?"""
    value = isoscore(workspace.moments.variances(), workspace.embedding.n_components)
    return workspace.finding(
        "isoscore",
        "Evenness of directions",
        value,
        f"IsoScore {value:.2f} (0 all variance in one direction, 1 even)",
        cause="uneven variance means that cosine is decided by few directions",
        action="none by itself: whitening makes it 1 and can make neighbours worse; choose by evidence",
        verify="the whitened gauge has IsoScore near 1: compare its recall",
        details={"components_variance": [float(v) for v in workspace.moments.variances()[:20]]},
    )


def rogue_dimensions(workspace: Workspace) -> Finding:
    """A single column that makes up most of the average cosine."""
    shares = axis_shares(workspace.moments)
    common = mean_random_cosine(workspace.moments)
    value = shares.top_cosine_contribution
    column = int(shares.by_cosine(1)[0])
    return workspace.finding(
        "rogue_dimensions",
        "Single columns that decide the cosine",
        value,
        f"column {column} adds {value:.2f} to the mean cosine {common:.2f} of unrelated items",
        cause="one coordinate with a large mean outvotes the rest; a bias or a count may be folded into the vectors",
        action=f"find out what column {column} is: a bias or a count does not belong into a cosine; otherwise centre "
        f"the vectors",
        verify="repeat without that column",
        details={
            "by_cosine": [int(c) for c in shares.by_cosine(3)],
            "note": "depends on the axes: even a rotation, which changes no cosine, hides or makes such a column",
        },
    )


def dominant_column(workspace: Workspace) -> Finding:
    """A single column that makes up most of the variance."""
    k = workspace.embedding.n_components
    shares = axis_shares(workspace.moments)
    column = int(shares.by_variance(1)[0])
    top = float(shares.variance_share[column])
    return workspace.finding(
        "rogue_variance",
        "Single columns that hold the variance",
        shares.top_variance_excess,
        f"column {column} holds {top:.0%} of the variance, where an even share is {1 / k:.1%}",
        cause="one coordinate with a large spread outvotes the rest",
        action=f"find out what column {column} is: a bias or a count does not belong into a cosine; otherwise compare "
        f"held-out "
        "recall with this column scaled down",
        verify="repeat without that column",
        details={"note": "depends on the axes: even a rotation, which changes no cosine, hides or makes such a column"},
    )


def zero_vectors(workspace: Workspace) -> Finding:
    """Items without a direction."""
    norms = workspace.moments.norms
    zero = np.flatnonzero(norms == 0)
    names = [str(workspace.embedding.item_names[row]) for row in zero[:5]]
    return workspace.finding(
        "zero_rows",
        "Zero vectors",
        len(zero) / len(norms),
        counted(len(zero), "zero vector")
        + (f", such as that of “{names[0]}”; zero vectors are left out" if names else ""),
        cause="these items were never seen in training, or every direction they use was shrunk to zero",
        action="drop them before export: stores reject, skip or mis-rank them",
        verify="no zero rows are left",
        gauge_dependent=False,
        details={"named": names},
    )


def norms(workspace: Workspace) -> Finding:
    """How much the norms of the vectors differ."""
    spread = norm_spread(workspace.moments.norms)
    return workspace.finding(
        "norm_spread",
        "Spread of norms",
        spread.cv,
        f"norms vary by {spread.cv:.0%} around their mean {spread.mean:.3g}",
        cause="the lengths of the vectors differ much: cosine ignores them, and the dot product favours long vectors",
        action="choose between cosine, dot and a norm power between them by evidence",
        verify="simgauge fix scores norm powers",
        details={"quantiles": [float(q) for q in spread.quantiles], "mean": spread.mean},
    )


def top_direction(workspace: Workspace) -> Finding:
    """Share of the variance in the strongest direction, whatever the axes."""
    variances = workspace.moments.variances()
    total = float(variances.sum())
    value = float(variances[0]) / total if total > 0 else 0.0
    return workspace.finding(
        "top_direction",
        "Variance in the strongest direction",
        value,
        f"one direction holds {value:.0%} of the variance, where an even share is {1 / len(variances):.1%}",
        cause="the vectors differ along one direction more than along the others; cosines are mostly about where items "
        "stand on it",
        action="compare held-out recall with and without this direction (all-but-the-top), or in a whitened gauge",
        verify="correlate the items' positions along this direction with popularity, length or date",
    )
