"""Identifiability: what the training objective determines of the cosine, checked against the tables themselves."""

from __future__ import annotations

import itertools

import numpy as np

from simgauge.auditing.objectives import Identifiability
from simgauge.auditing.workspace import Workspace
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.gauges.balance import GaugeBalance, gauge_balance
from simgauge.core.gauges.folded_bias import constant_columns, constant_direction
from simgauge.core.gauges.sphere_spanning import sphere_spanning
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.findings import Finding, Verdict

VERDICTS: dict[Identifiability, Verdict] = {
    "identified": "ok",
    "controlled by the regulariser": "info",
    "unknown": "info",
    "arbitrary": "warn",
}
PATH = (0.125, 0.25, 0.5)
"""Strengths λ of Eq. 2 that are compared, in units of the weakest singular value kept."""

UNIT_NORM = 1e-3
"""Largest deviation from norm one for vectors said to live on the unit sphere."""


def identifiability(workspace: Workspace) -> Finding:
    """The verdict for items and users from the gauge group of the objective, and for the sphere from the vectors."""
    name, objective = workspace.objective_name, workspace.objective
    tables = {"items": workspace.items}
    if workspace.embedding.users is not None:
        tables["users"] = workspace.embedding.users
    reasons = dict.fromkeys(tables, (objective.verdict, objective.reason))
    if name == "unit-sphere":
        reasons = {side: _on_the_sphere(table) for side, table in tables.items()}
    worst = max((verdict for verdict, _ in reasons.values()), key=list(VERDICTS).index)
    stated = "objective not stated" if name == "unknown" else f"objective “{name}”"
    sides = "; ".join(f"{side}: {verdict}" for side, (verdict, _) in reasons.items())
    return Finding(
        id="identifiability",
        title="Is the cosine determined by training?",
        value=None,
        summary=f"{sides} ({stated}, gauge group {objective.gauge_group})",
        verdict=VERDICTS[worst],
        cause=" ".join(dict.fromkeys(f"{reason}." for _, reason in reasons.values())) + f" [{objective.source}]",
        action=_ACTIONS[worst],
        verify="train twice with other seeds or initial scales and compare the neighbours",
        gauge_dependent=False,
        group="identifiability",
        details={
            "objective": name,
            "gauge_group": objective.gauge_group,
            "sides": {side: verdict for side, (verdict, _) in reasons.items()},
            "source": objective.source,
        },
    )


_ACTIONS: dict[Identifiability, str] = {
    "unknown": "say how the vectors were trained: --objective, and --biases and --penalty where they differ from its usual form",
    "arbitrary": "use a gauge-invariant similarity (canonical gauge), or train with a penalty on both factors or on cosine",
    "controlled by the regulariser": "know that λ and the kind of penalty chose this cosine; compare it with other gauges "
    "on held-out evidence",
    "identified": "nothing to do",
}


def _on_the_sphere(table: Table) -> tuple[Identifiability, str]:
    """Whether unit norms during training leave rotations only: the b bᵀ of the rows must span Sym(k)."""
    norms = row_norms(take_rows(table, np.arange(min(len(table), 10_000))))
    if np.abs(norms - 1).max() > UNIT_NORM:
        return "arbitrary", (
            f"the vectors are said to have been trained on the unit sphere, but norms run from {norms.min():.3g} to "
            f"{norms.max():.3g}: another change was made afterwards, or training was not on the sphere"
        )
    spanning = sphere_spanning(table)
    if spanning.spans:
        return "identified", (
            "unit norms during training leave only rotations: the vectors span all "
            f"{spanning.needed} directions of symmetric matrices"
        )
    if spanning.spans is None:
        return "identified", (
            "unit norms during training leave only rotations if the vectors span the symmetric matrices; "
            f"there are rows enough ({len(table)} for {spanning.needed}), the span itself is too large to compute"
        )
    rank = "fewer" if spanning.rank is None else str(spanning.rank)
    return "arbitrary", (
        f"unit norms leave other gauges than rotations: the vectors span {rank} of the {spanning.needed} directions of "
        "symmetric matrices that would be needed"
    )


def balance(workspace: Workspace) -> Finding | None:
    """Do the tables agree with a penalty on both factors? None for a single table."""
    if not workspace.user_gram.any():
        return None
    keep = np.setdiff1d(np.arange(workspace.embedding.n_components), [bias.column for bias in workspace.biases])
    grams = [gram[np.ix_(keep, keep)] for gram in (workspace.user_gram, workspace.moments.gram)]
    if not all(gram.any() for gram in grams):
        return None
    found = gauge_balance(*grams)
    claimed = workspace.objective.balanced is not None
    limit = workspace.thresholds["balance"]
    verdict: Verdict = limit.judge(found.condition_number) if claimed else "info"
    finite = bool(np.isfinite(found.condition_number))
    return Finding(
        id="balance",
        title="Balance of the two tables",
        value=found.condition_number if finite else None,
        summary=_balance_summary(found, claimed, verdict),
        verdict=verdict,
        cause="a penalty on both factors is stationary along the gauge only if PᵀP and QᵀQ are proportional"
        + ("; count-weighted penalties, early stopping and later rescaling break this" if verdict == "warn" else ""),
        action="check the objective, or the step between training and this file: normalised, scaled, or a bias column?"
        if verdict == "warn"
        else "none",
        verify="train longer or with a larger penalty: κ of the balance must fall towards 1",
        gauge_dependent=True,
        group="identifiability",
        details={
            "condition_number": found.condition_number if finite else None,
            "commutator": found.commutator,
            "distance": found.distance,
            "scale": found.scale,
            "rank": found.rank,
            "reading": found.verdict,
        },
    )


def _balance_summary(found: GaugeBalance, claimed: bool | None, verdict: Verdict) -> str:
    text = f"the metric between these tables and their balanced gauge has condition number {found.condition_number:.3g}"
    if claimed:
        return text + (
            ": this contradicts the stated objective" if verdict == "warn" else ", as the stated objective says"
        )
    reading = {"balanced": "balanced, as a penalty on both factors leaves them", "near balance": "nearly balanced",
               "commuting": "axes agree, scales do not, as after an SVD", "unbalanced": "not balanced"}[found.verdict]  # fmt: skip
    return f"{text} ({reading})"


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


def strength_path(workspace: Workspace) -> Finding | None:
    """For a penalty on both factors: how neighbours move along λ. Needs interactions; None without."""
    if workspace.interactions is None or workspace.objective_name not in ("factors", "als"):
        return None
    X = workspace.interactions.matrix
    wanted = min(workspace.embedding.n_components, *X.shape)
    if wanted < 2:
        return None
    decomposition = spectrum(X, wanted)
    weakest = float(decomposition.singular_values[-1])
    if weakest <= 0:
        return None
    lists = [
        top_k(factorize(decomposition, "factors", share * weakest).decoder, workspace.k, rows=workspace.probe_rows)[0]
        for share in PATH
    ]
    steps = [neighbor_overlap(one, two).mean for one, two in itertools.pairwise(lists)]
    shipped = [neighbor_overlap(entry, workspace.probe_lists).mean for entry in lists]
    value = min(steps)
    return Finding(
        id="strength_path",
        title="Neighbours along the strength of the penalty",
        value=value,
        summary=f"halving λ in Eq. 2 at rank {wanted} keeps {value:.0%} to {max(steps):.0%} of the neighbours",
        verdict=workspace.thresholds["strength_path"].judge(value),
        cause="with a penalty on both factors λ decides how singular values are weighed in the cosine",
        action="tune λ for the similarity you want, not only for the score",
        verify="simgauge fit --penalty factors with other --l2, then simgauge compare",
        gauge_dependent=False,
        group="identifiability",
        details={"l2": [share * weakest for share in PATH], "successive": steps, "with_shipped": shipped},
    )
