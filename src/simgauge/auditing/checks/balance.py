"""Balance: whether the tables agree with a penalty on both factors, and how the strength of it moves neighbours."""

from __future__ import annotations

import itertools

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.gauges.balance import GaugeBalance, gauge_balance
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.spectral.spectrum import spectrum
from simgauge.findings import Finding, Verdict

PATH = (0.125, 0.25, 0.5)
"""Strengths λ of Eq. 2 that are compared, in units of the weakest singular value kept."""


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
