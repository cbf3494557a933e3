"""Items that are the same: vectors equal to the last bit, and directions that are nearly equal."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc

from simgauge.auditing.workspace import NAMED, Workspace
from simgauge.core.geometry.duplicates import exact_duplicates, near_duplicates
from simgauge.findings import Finding
from simgauge.wording import counted

NEAR_DUPLICATE = 0.99
RARELY_SEEN = 2
"""Interactions up to which an item says little more than who its one or two users are."""


def exact_copies(workspace: Workspace) -> Finding:
    """Rows that are equal to the last bit."""
    found = exact_duplicates(workspace.items)
    zero = int(np.count_nonzero(workspace.item_norms == 0))
    copies = found.n_rows_in_groups - (zero if zero > 1 else 0)
    groups = found.n_groups - (zero > 1)
    pairs = [pair for pair in found.pairs if workspace.item_norms[pair[0]] > 0]
    value = (copies - groups) / workspace.embedding.n_items
    return workspace.finding(
        "exact_duplicates",
        "Exact copies",
        value,
        f"{copies} items share their vector with another ({groups} groups)" + ("; zero vectors aside" if zero else ""),
        cause="trained vectors of different items do not coincide: these were never trained and kept a common start, "
        "come "
        "from equal inputs (the same text under two ids), or were joined twice",
        action="keep one of each group in the index, or leave untrained items out: they fill each other's lists",
        verify="count the distinct rows",
        gauge_dependent=False,
        details={"named": _pairs(workspace, pairs)},
    )


def near_copies(workspace: Workspace) -> Finding:
    """Items whose nearest neighbour is nearly the same direction."""
    indices, scores = workspace.shipped
    found = near_duplicates(indices, scores, workspace.embedding.n_items, threshold=NEAR_DUPLICATE, rows=workspace.rows)
    close = np.asarray(scores[:, 0] >= NEAR_DUPLICATE)
    share, low, high = workspace.mean_interval(close.astype(float))
    chance = share_by_chance(workspace.embedding.n_items, workspace.embedding.n_components)
    rare = _rarely_seen(workspace, close)
    seldom = "" if rare is None else f"; {rare:.0%} of these were seen at most {RARELY_SEEN} times"
    by_chance = (
        f"; in {counted(workspace.embedding.n_components, 'dimension')} chance gives {chance:.1%}"
        if chance > 0.001
        else ""
    )
    if rare is not None and rare >= 0.5:
        cause = (
            "items whose only one or two interactions are by the same users get the same direction, however different"
        )
        action = (
            "do not merge them: leave items with so little data out of lists of similar items, or fill them up "
            "otherwise"
        )
    else:
        cause = (
            "the same thing under several ids; items that training had too little data to tell apart; or vectors that "
            "cosine is "
            "not made for as they are (a common offset, a hyperbolic space), where nearly parallel does not mean alike"
        )
        action = (
            "check the pairs that are named: merge what is the same thing, and only that; where they are unlike, "
            "cosine is the wrong measure for these vectors as they are"
        )
    return workspace.finding(
        "near_duplicates",
        "Near copies",
        max(share - chance, 0.0),
        f"{share:.1%} of the items have a neighbour with cosine {NEAR_DUPLICATE} or "
        f"more{seldom if close.any() else ''}{by_chance}",
        interval=(max(low - chance, 0.0), max(high - chance, 0.0)),
        cause=cause,
        action=action,
        verify="read the names and interactions of the closest pairs",
        details={"named": _pairs(workspace, found.pairs), "rarely_seen_share": rare},
    )


def share_by_chance(n_items: int, n_components: int) -> float:
    """Share of items with a near copy if directions were drawn at random: caps of the sphere get small with dimension.

    Of n − 1 other directions one is within the angle with probability ``1 − (1 − p)^(n − 1)``, p the share of the
    sphere in a cap: ``½ I(1 − cos², (k − 1)/2, ½)``.

    Examples
    --------
    >>> [round(share_by_chance(1000, k), 3) for k in (1, 2, 4, 8)]
    [1.0, 1.0, 0.451, 0.0]
    """
    if n_components == 1:
        return 1.0
    cap = 0.5 * float(betainc((n_components - 1) / 2, 0.5, 1 - NEAR_DUPLICATE**2))
    return float(-np.expm1((n_items - 1) * np.log1p(-cap)))


def _rarely_seen(workspace: Workspace, close: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float | None:
    """Share of the near copies that have next to no interactions; None where these are not known."""
    if workspace.popularity is None or not close.any():
        return None
    return float(np.mean(workspace.popularity[workspace.rows[close]] <= RARELY_SEEN))


def _pairs(workspace: Workspace, pairs: object) -> list[str]:
    rows = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)[:NAMED]
    return [f"{workspace.name(i)} = {workspace.name(j)}" for i, j in rows]
