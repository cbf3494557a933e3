"""What the neighbour lists look like: hubs, items nobody finds, copies, outliers, islands, queries from elsewhere."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.geometry.distances import distance_concentration, random_pair_distances
from simgauge.core.geometry.duplicates import exact_duplicates, near_duplicates
from simgauge.core.geometry.outliers import islands, outliers
from simgauge.core.geometry.queries import query_fit
from simgauge.core.neighbors.hubness import (
    antihub_expectation,
    antihub_share,
    k_occurrence,
    k_skewness_from_sample,
    largest_hubs,
    top_share,
)
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.findings import Finding

DISTANCE_PAIRS = 20_000
NEAR_DUPLICATE = 0.99
EXAMPLES = 5


def hubness(workspace: Workspace) -> Finding:
    """Items that are in very many lists."""
    occurrence = k_occurrence(workspace.shipped_lists, workspace.embedding.n_items)
    value = k_skewness_from_sample(occurrence, len(workspace.rows), workspace.embedding.n_items)
    hubs, counts = largest_hubs(occurrence, EXAMPLES)
    named = [
        {"name": str(workspace.embedding.item_names[hub]), "count": int(count)}
        for hub, count in zip(hubs, counts, strict=True)
    ]
    share = top_share(occurrence)
    return workspace.finding(
        "hubness",
        "Hubs",
        value,
        f"skewness of k-occurrence {value:.1f}; the 1 % most listed items hold {share:.0%} of all places, first "
        f"“{named[0]['name']}” in {counts[0] / len(workspace.rows):.1%} of lists",
        cause="in many dimensions, points near the centre of the cloud are near to everything",
        action="centre the vectors, or use CSLS or local scaling when listing neighbours",
        verify="repeat the audit on the fixed vectors",
        details={"largest_hubs": named, "top_1_percent_share": share},
    )


def antihubs(workspace: Workspace) -> Finding:
    """Items that are in no list at all."""
    n, m = workspace.embedding.n_items, len(workspace.rows)
    occurrence = k_occurrence(workspace.shipped_lists, n)
    value, by_chance = antihub_share(occurrence), antihub_expectation(workspace.k, m, n)
    sample = " (an upper bound: lists of a sample)" if workspace.sampled else ""
    return workspace.finding(
        "antihubs",
        "Items that nobody finds",
        value - by_chance,
        f"{value:.1%} of the items are in no list of {workspace.k}{sample}; by chance it would be {by_chance:.1%}",
        cause="places that hubs take are missing elsewhere",
        action="as for hubs; check that these items are not simply duplicates or zero vectors",
        verify="share of items listed at least once",
        details={"share": value, "by_chance": by_chance},
    )


def cosine_against_dot(workspace: Workspace) -> Finding:
    """How much the choice between cosine and dot product matters for the lists."""
    per_row = neighbor_overlap(workspace.probe_lists, workspace.dot_lists).per_row
    value, low, high = workspace.mean_interval(per_row)
    return workspace.finding(
        "metric_overlap",
        "Cosine against dot product",
        value,
        f"{value:.0%} of the neighbours by cosine are neighbours by dot product too",
        interval=(low, high),
        cause="norms differ: the dot product prefers long vectors, which are usually the popular items",
        action="store the metric with the vectors; choose it, or a norm power between, by evidence",
        verify="simgauge fix compares cosine, dot and norm powers",
    )


def exact_copies(workspace: Workspace) -> Finding:
    """Rows that are equal to the last bit."""
    found = exact_duplicates(workspace.items)
    zero = int(np.count_nonzero(workspace.item_norms == 0))
    copies = found.n_rows_in_groups - (zero if zero > 1 else 0)
    groups = found.n_groups - (zero > 1)
    names = workspace.embedding.item_names
    pairs = [pair for pair in found.pairs if workspace.item_norms[pair[0]] > 0]
    value = (copies - groups) / workspace.embedding.n_items
    return workspace.finding(
        "exact_duplicates",
        "Exact copies",
        value,
        f"{copies} items share their vector with another ({groups} groups)" + ("; zero vectors aside" if zero else ""),
        cause="items never seen in training keep their initial vector; or the same item is there twice",
        action="drop or merge them: they fill each other's lists",
        verify="count distinct rows",
        details={"examples": [[str(names[i]), str(names[j])] for i, j in pairs[:EXAMPLES]]},
    )


def near_copies(workspace: Workspace) -> Finding:
    """Items whose nearest neighbour is nearly the same direction."""
    indices, scores = workspace.shipped
    found = near_duplicates(indices, scores, workspace.embedding.n_items, threshold=NEAR_DUPLICATE, rows=workspace.rows)
    names = workspace.embedding.item_names
    value, low, high = workspace.mean_interval((scores[:, 0] >= NEAR_DUPLICATE).astype(float))
    return workspace.finding(
        "near_duplicates",
        "Near copies",
        value,
        f"{value:.1%} of the items have a neighbour with cosine {NEAR_DUPLICATE} or more",
        interval=(low, high),
        cause="the same thing under several ids, or a model that collapsed parts of the catalogue",
        action="look at the examples; merge what is the same",
        verify="names of the closest pairs",
        details={"examples": [[str(names[i]), str(names[j])] for i, j in found.pairs[:EXAMPLES]]},
    )


def concentration(workspace: Workspace) -> Finding:
    """Whether near and far can be told apart at all."""
    rng = np.random.default_rng(workspace.seed + 3)
    random = random_pair_distances(workspace.items, DISTANCE_PAIRS, rng)
    nearest = 1.0 - workspace.shipped[1][:, 0].astype(np.float64)
    found = distance_concentration(random, nearest)
    contrast = found.relative_contrast
    text = (
        "; all nearest items are copies"
        if contrast is None
        else f"; they are {contrast:.1f} times as far as the nearest"
    )
    return workspace.finding(
        "distance_contrast",
        "Contrast of distances",
        contrast,
        f"cosine distances of random pairs vary by {found.relative_deviation:.0%} of their mean{text}",
        cause="with little contrast, ranks of neighbours are decided by noise",
        action="centre or reduce the number of components; more training data per item",
        verify="the contrast after the change",
        details={"relative_deviation": found.relative_deviation, "relative_contrast": contrast},
    )


def far_out(workspace: Workspace) -> Finding:
    """Items that are far from everything, their own neighbours included."""
    found = outliers(workspace.shipped[1][:, : workspace.k])
    names = [str(workspace.embedding.item_names[workspace.rows[p]]) for p in found.positions[:EXAMPLES]]
    return workspace.finding(
        "outliers",
        "Outliers",
        found.share,
        f"{found.share:.1%} of the items have unusually far neighbours (mean cosine below {found.cutoff_similarity:.2f})",
        cause="little or odd training data for these items",
        action="don't show similar items where there are none: cut lists at this cosine",
        verify="look at the examples",
        details={"examples": names, "cutoff": found.cutoff_similarity},
    )


def query_hubs(workspace: Workspace) -> Finding | None:
    """Items that are near to very many users; None for a single table."""
    if workspace.query_lists is None:
        return None
    indices = workspace.query_lists[0]
    occurrence = k_occurrence(indices, workspace.embedding.n_items)
    value = k_skewness_from_sample(occurrence, len(indices), max(workspace.embedding.n_users, len(indices)))
    return workspace.finding(
        "query_hubness",
        "Hubs among users' nearest items",
        value,
        f"skewness {value:.1f}; the 1 % most listed items hold {top_share(occurrence):.0%} of all places",
        cause="some items lie where users are; with cosine this depends on the gauge of both sides",
        action="rank items for users by the model's own score, the dot product",
        verify="the same lists by dot product",
    )


def separate_parts(workspace: Workspace) -> Finding | None:
    """Small groups that only list each other; needs the lists of all items."""
    if workspace.sampled or len(workspace.rows) < workspace.embedding.n_items:
        return None
    found = islands(workspace.shipped_lists, workspace.embedding.n_items)
    return workspace.finding(
        "islands",
        "Islands",
        found.island_share,
        f"{found.island_share:.1%} of the items are in small groups without any link to the rest; the largest part holds "
        f"{found.largest_share:.0%}",
        cause="groups of items with users of their own, imports from another source, or copies",
        action="expect no path from these items to the catalogue: fill up with another recommender",
        verify="look at the items of a group",
        details={"sizes": [int(size) for size in found.sizes[:20]]},
    )


def queries(workspace: Workspace) -> Finding | None:
    """Queries from the other side that nothing in the table is near to; None for a single table."""
    if workspace.query_lists is None:
        return None
    best = workspace.query_lists[1][:, 0].astype(np.float64)
    found = query_fit(best, workspace.shipped[1][:, 0].astype(np.float64))
    return workspace.finding(
        "ood_queries",
        "Queries that match nothing",
        found.out_share,
        f"{found.out_share:.0%} of the users have no item as near (cosine) as 99 % of items have another item; median best "
        f"cosine {found.median_query:.2f} against {found.median_row:.2f} among items",
        cause="users and items lie in different parts of the space; their cosine was not what training looked at",
        action="search user-to-item with the dot product that the model was trained for, not with cosine",
        verify="the same figure in the canonical gauges: it moves, because the two sides move in opposite ways",
    )
