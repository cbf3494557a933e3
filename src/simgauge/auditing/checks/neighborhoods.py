"""What the neighbour lists look like: hubs, items nobody finds, outliers, islands, queries from elsewhere."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.checks.sides import CENTRE_EACH_SIDE, gap_verdict
from simgauge.auditing.workspace import NAMED, Workspace
from simgauge.core.geometry.distances import DUPLICATE_DISTANCE, distance_concentration, random_pair_distances
from simgauge.core.geometry.outliers import islands, outliers
from simgauge.core.geometry.queries import query_fit
from simgauge.core.inference.intervals import Interval, quantile_interval, share_below_interval
from simgauge.core.neighbors.antihubs import antihub_bounds
from simgauge.core.neighbors.hubness import antihub_expectation, k_skewness_of_places, largest_hubs, top_share
from simgauge.core.neighbors.neighbor_lists import Indices
from simgauge.core.neighbors.shared_places import Places, shared_places
from simgauge.core.tables.kinds import Vector
from simgauge.core.tables.tables import take_rows
from simgauge.findings import SEVERITY, Finding

DISTANCE_PAIRS = 20_000
NORMAL_95 = 1.96
ONE_LENGTH = 1e-3
"""Relative spread of norms below which cosine and dot product rank items alike."""
OWN_BELOW = 0.01
"""Share of the table's own rows below the cut-off for queries, as in `query_fit`."""


def hubness(workspace: Workspace) -> Finding:
    """Items that are in very many lists."""
    places = workspace.places
    population = int(np.count_nonzero(workspace.item_norms))
    value, low, high = _skewness(workspace, places, population)
    occurrence = places.occurrence()
    hubs, counts = largest_hubs(occurrence, 5)
    share = top_share(occurrence)
    return workspace.finding(
        "hubness",
        "Hubs",
        value,
        f"skewness of k-occurrence {value:.1f}; the 1 % most listed items hold {share:.0%} of all places"
        f"{' in the lists of the sample' if workspace.sampled else ''}, first “{workspace.name(hubs[0])}” in "
        f"{counts[0] / places.n_queries:.1%} of lists",
        interval=(low, high),
        cause="in many dimensions, points near the centre of the cloud are near to very many others",
        action="centre the vectors, or use CSLS or local scaling when listing neighbours",
        verify="repeat the audit on the fixed vectors",
        details={
            "named": [f"{workspace.name(hub)} ({count:.0f} lists)" for hub, count in zip(hubs, counts, strict=True)],
            "top_1_percent_share": share,
        },
    )


def _skewness(workspace: Workspace, places: Places, population: int) -> Interval:
    """Skewness of the k-occurrence over all queries that could have been drawn, and its interval."""

    def statistic(rows: Indices) -> float:
        chosen = np.zeros(places.n_queries, dtype=bool)
        chosen[rows] = True
        return k_skewness_of_places(places, population, chosen)

    if min(places.n_queries, population) < 3:
        return Interval(0.0, 0.0, 0.0)
    return workspace.jackknife(statistic, places.n_queries, population)


def antihubs(workspace: Workspace) -> Finding:
    """Items that are in no list at all; from the lists of a sample only the least and the greatest share are known."""
    population = int(np.count_nonzero(workspace.item_norms))
    found = antihub_bounds(workspace.places, population, np.random.default_rng(workspace.seed + 6))
    by_chance = antihub_expectation(workspace.k, population, workspace.embedding.n_items)
    unlisted = np.flatnonzero(workspace.places.lists_with() == 0)
    if found.least < found.most:
        text = (
            f"{found.least:.1%} to {found.most:.1%} of the items are in no list of {workspace.k} (from the lists "
            f"of a sample)"
        )
    else:
        text = f"{found.least:.1%} of the items are in no list of {workspace.k}"
    return workspace.finding(
        "antihubs",
        "Items that nobody finds",
        found.least,
        f"{text}; by chance it would be {by_chance:.1%}",
        interval=(found.least, found.most),
        cause="the places in the lists go to other items: hubs, or items in denser parts of the space",
        action="as for hubs: centre the vectors, or use CSLS or local scaling, and do not rely on similar items to "
        "show "
        "the whole catalogue",
        verify="measure the share of items that are listed at least once",
        details={
            "named": [] if workspace.sampled else workspace.names(unlisted),
            "by_chance": by_chance,
            "least": found.least,
            "most": found.most,
        },
    )


def concentration(workspace: Workspace) -> Finding:
    """Whether near and far can be told apart at all."""
    rng = np.random.default_rng(workspace.seed + 3)
    random = random_pair_distances(workspace.items, DISTANCE_PAIRS, rng)
    nearest = 1.0 - workspace.shipped[1][:, 0].astype(np.float64)
    found = distance_concentration(random, nearest)
    contrast = found.relative_contrast
    interval = None if contrast is None else _ratio_interval(workspace, random, nearest, contrast)
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
        interval=interval,
        cause="with little contrast, small errors of the vectors change the order of neighbours",
        action="compare held-out recall with fewer components and after centring",
        verify="measure the contrast again after the change",
        details={"relative_deviation": found.relative_deviation, "relative_contrast": contrast},
    )


def _ratio_interval(workspace: Workspace, random: Vector, nearest: Vector, ratio: float) -> tuple[float, float]:
    """95 % interval of a ratio of two means that were sampled independently of each other (delta method)."""
    used = nearest[nearest > DUPLICATE_DISTANCE * random.mean()]
    left = 1.0 - len(nearest) / max(int(np.count_nonzero(workspace.item_norms)), len(nearest))
    variance = random.var() / len(random) / random.mean() ** 2 + left * used.var() / len(used) / used.mean() ** 2
    half = NORMAL_95 * float(np.sqrt(variance)) * ratio
    return ratio - half, ratio + half


def far_out(workspace: Workspace) -> Finding:
    """Items that are far from everything, their own neighbours included."""
    scores = workspace.shipped[1][:, : workspace.k]
    found, population = outliers(scores), int(np.count_nonzero(workspace.item_norms))
    cutoff = workspace.jackknife(lambda rows: outliers(scores[rows]).cutoff_similarity, len(scores), population)
    closeness = np.asarray(scores.mean(axis=1, dtype=np.float64))
    value, (_, low, high) = found.share, share_below_interval(closeness, cutoff, population=population)
    return workspace.finding(
        "outliers",
        "Outliers",
        value,
        f"{value:.1%} of the items have unusually far neighbours (mean cosine below {found.cutoff_similarity:.2f})",
        interval=(low, high),
        cause="these items have little in common with any other: little or odd training data, or a subject of their "
        "own",
        action="don't show similar items where there are none: cut lists at this cosine",
        verify="check the items that are named",
        details={"named": workspace.names(workspace.rows[found.positions]), "cutoff": found.cutoff_similarity},
    )


def _instead_of_cosine(workspace: Workspace) -> str:
    """What makes other lists for users: items of one length are ranked by cosine and dot product alike."""
    if SEVERITY[gap_verdict(workspace)]:
        return CENTRE_EACH_SIDE
    norms = workspace.item_norms[workspace.item_norms > 0]
    if np.ptp(norms) <= ONE_LENGTH * norms.mean():
        return (
            "use a neighbour-level remedy (CSLS), or leave the hubs out of lists; as all items have one length, the "
            "dot "
            "product gives the same lists"
        )
    return "rank items for users by the model's own score, which for a dot-product model is the dot product"


def query_hubs(workspace: Workspace) -> Finding | None:
    """Items that are near to very many users; None for a single table."""
    if workspace.query_lists is None:
        return None
    asked = take_rows(workspace.embedding.users, workspace.query_rows)
    places = shared_places(workspace.items, asked, workspace.query_lists, workspace.k)
    value, low, high = _skewness(workspace, places, workspace.query_population)
    occurrence = places.occurrence()
    hubs, counts = largest_hubs(occurrence, 5)
    return workspace.finding(
        "query_hubness",
        "Hubs among users' nearest items",
        value,
        f"skewness {value:.1f}; the 1 % most listed items hold {top_share(occurrence):.0%} of the places in the lists "
        f"of "
        f"{places.n_queries} users",
        interval=(low, high),
        cause="some items lie in the direction of very many users; the cosine of a user and an item depends on the "
        "gauge",
        action=_instead_of_cosine(workspace),
        verify="count the hubs among the same lists again afterwards",
        at_most="info" if workspace.ranks_by_dot_product else "fail",
        details={
            "named": [f"{workspace.name(hub)} ({count:.0f} lists)" for hub, count in zip(hubs, counts, strict=True)]
        },
    )


def separate_parts(workspace: Workspace) -> Finding | None:
    """Small groups that only list each other; needs the lists of all items."""
    if workspace.sampled or len(workspace.rows) < workspace.embedding.n_items:
        return None
    found = islands(workspace.shipped_lists, workspace.embedding.n_items)
    lone = (found.labels > 0) & (found.sizes[found.labels] < found.min_size)
    return workspace.finding(
        "islands",
        "Islands",
        found.island_share,
        f"{found.island_share:.1%} of the items are in small groups without any link to the rest; the largest part "
        f"holds "
        f"{found.largest_share:.0%}",
        cause="groups of items with users of their own, imports from another source, or copies",
        action="expect no path from these items to the rest: search them in an index of their own, "
        "or fill their lists from another source",
        verify="check the items of a group",
        details={"named": workspace.names(np.flatnonzero(lone)), "sizes": [int(size) for size in found.sizes[:20]]},
    )


def queries(workspace: Workspace) -> Finding | None:
    """Queries from the other side that nothing in the table is near to; None for a single table."""
    if workspace.query_lists is None:
        return None
    best = workspace.query_lists[1][:, 0].astype(np.float64)
    own = workspace.shipped[1][:, 0].astype(np.float64)
    found = query_fit(best, own)
    cutoff = quantile_interval(own, OWN_BELOW, population=int(np.count_nonzero(workspace.item_norms)))
    _, low, high = share_below_interval(best, cutoff, population=max(workspace.query_population, len(best)))
    ids = workspace.embedding.user_ids
    lost = workspace.query_rows[found.positions]
    return workspace.finding(
        "ood_queries",
        "Queries that match nothing",
        found.out_share,
        f"{found.out_share:.0%} of the users have no item as near (cosine) as 99 % of items have another item; median "
        f"best "
        f"cosine {found.median_query:.2f} against {found.median_row:.2f} among items",
        interval=(low, high),
        cause="users and items lie in different parts of the space: nothing in training brought their cosines to one "
        "level",
        action="rank items for a user by the model's own score, and never compare such a cosine with one between items",
        verify="the same figure in the canonical gauges: it moves, because the two sides move in opposite ways",
        at_most="info" if workspace.ranks_by_dot_product else "fail",
        details={"named": [str(row if ids is None else ids[row]) for row in lost[:NAMED]]},
    )
