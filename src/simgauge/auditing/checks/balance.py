"""Balance: whether the tables agree with a penalty on both factors, and how the strength of it moves neighbours."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing.later_changes import later_change
from simgauge.auditing.workspace import Workspace
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.gauges.balance import GaugeBalance, gauge_balance
from simgauge.core.gauges.sampled_gram import sampled_balance_factor
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.arrays import beside, doubled, to_host
from simgauge.core.tables.kinds import Array, Matrix, Table
from simgauge.core.tables.tables import sum_rows
from simgauge.findings import Finding, Verdict
from simgauge.labels import positions_of
from simgauge.wording import counted

PATH = (0.125, 0.25, 0.5)
"""Strengths λ of Eq. 2 that are compared, in units of the weakest singular value kept."""

Counts = NDArray[np.float64]


class _Measured(NamedTuple):
    """The balance of the two Grams, and how far a sample of the users may be from it."""

    balance: GaugeBalance
    factor: float
    """κ of all users lies between κ/factor and κ·factor; 1 where all of them are here."""
    weighted: bool

    @property
    def interval(self) -> tuple[float, float]:
        kappa = self.balance.condition_number
        return max(kappa / self.factor, 1.0), kappa * self.factor

    @property
    def is_testable(self) -> bool:
        return bool(np.isfinite(self.balance.condition_number) and np.isfinite(self.factor))


def balance(workspace: Workspace) -> Finding | None:
    """Do the tables agree with a penalty on both factors? None for a single table."""
    if not workspace.user_gram.any():
        return None
    measured = _measured(workspace)
    if measured is None:
        return None
    if isinstance(measured, str):
        return _finding(workspace, None, "info", f"cannot be tested: {measured}", "none")
    if not measured.is_testable:
        return _finding(workspace, measured, "info", _why_not(workspace, measured), "pass more users")
    changed = later_change(workspace.embedding.provenance)
    text = _figure(measured)
    if changed is not None:
        summary = f"{text}; says nothing of training, as the tables were changed after it: {changed}"
        return _finding(workspace, measured, "info", summary, "none")
    if workspace.objective.balanced is None:
        return _finding(workspace, measured, "info", f"{text} ({_READINGS[measured.balance.verdict]})", "none")
    limit = workspace.thresholds["balance"]
    verdict = limit.judge(measured.interval[0])
    if verdict == "ok" and limit.judge(measured.balance.condition_number) != "ok":
        summary = f"{text}: within what a sample of users can show; if these are all users, {_disagreement(workspace)}"
        return _finding(
            workspace, measured, "info", summary, "pass --interactions, which tell whether all users are here"
        )
    if verdict == "ok":
        return _finding(workspace, measured, verdict, f"{text}, {_agreement(workspace)}", "none")
    advice = (
        "canonical_gauge(power=0.5) is the balanced gauge, with the same predictions and without training on; more "
        "iterations lead there slowly"
    )
    return _finding(workspace, measured, verdict, f"{text}: {_disagreement(workspace)}", advice)


_READINGS = {
    "balanced": "balanced, as a penalty on both factors leaves them",
    "near balance": "nearly balanced",
    "commuting": "axes agree, scales do not, as after an SVD",
    "unbalanced": "not balanced",
}


def _measured(workspace: Workspace) -> _Measured | str | None:
    """The balance; a reason why there is none to test; or None where biases are all there is."""
    users = workspace.embedding.users
    assert users is not None  # the caller has used its Gram matrix
    keep = np.setdiff1d(np.arange(workspace.embedding.n_components), [bias.column for bias in workspace.biases])
    grams, user_counts = (workspace.user_gram, workspace.moments.gram), None
    if workspace.objective.balanced == "counts":
        counts = _counts(workspace)
        if isinstance(counts, str):
            return counts
        user_counts = counts[0]
        grams = _weighted_gram(users, user_counts), _weighted_gram(workspace.items, counts[1])
    kept = [np.asarray(gram[np.ix_(keep, keep)]) for gram in grams]
    if not all(gram.any() for gram in kept):
        return None
    whole = _all_users_are_here(workspace)
    factor = 1.0 if whole else sampled_balance_factor(users, grams[0], user_counts)
    return _Measured(gauge_balance(*kept), factor, user_counts is not None)


def _all_users_are_here(workspace: Workspace) -> bool:
    """Known where a library's own tables were read, or where every user of the interactions has a vector."""
    provenance = workspace.embedding.provenance
    if provenance.get("library") and provenance.get("users_from", "") != "none":
        return True
    used = workspace.interactions
    if used is None or workspace.embedding.user_ids is None:
        return False
    active = np.asarray(used.user_ids)[np.asarray(used.user_counts) > 0]
    return bool((positions_of(active, workspace.embedding.user_ids) >= 0).all())


def _counts(workspace: Workspace) -> tuple[Counts, Counts] | str:
    """Interactions of every user and item of the tables; a reason where they are not known."""
    needs = "the penalty balances Gram matrices in which each row counts as often as it has interactions"
    used = workspace.interactions
    if used is None:
        return f"{needs}; pass the interactions of the training (--interactions)"
    if workspace.embedding.user_ids is None:
        return f"{needs}, and the user vectors have no ids"
    rows = positions_of(workspace.embedding.user_ids, used.user_ids)
    if not (rows >= 0).any():
        return f"{needs}, and no user of the interactions has the id of a user vector"
    users = np.where(rows >= 0, np.asarray(used.user_counts, dtype=np.float64)[rows], 0.0)
    return users, np.asarray(used.item_counts, dtype=np.float64)


def _weighted_gram(table: Table, counts: Counts) -> Matrix:
    gram: Matrix = sum_rows(table, _weighted_block, counts)
    return gram


def _weighted_block(block: Array, first_row: int, counts: Counts) -> Matrix:
    wide = doubled(block)
    weights = beside(counts[first_row : first_row + len(block), None], wide)
    return to_host((wide * weights).T @ wide)


def _figure(measured: _Measured) -> str:
    weights = ", each row weighted by its interactions," if measured.weighted else ""
    text = (
        f"the metric between these tables{weights} and their balanced gauge has condition number "
        f"{measured.balance.condition_number:.3g}"
    )
    if measured.factor > 1:
        low, high = measured.interval
        text += f" ({low:.3g} to {high:.3g} if these users are a sample of them)"
    return text


def _why_not(workspace: Workspace, measured: _Measured) -> str:
    users, width = workspace.embedding.n_users, workspace.embedding.n_components
    if users <= 2 * width:
        return (
            f"cannot be tested: {counted(users, 'user')} for {counted(width, 'component')} cannot show how users "
            f"spread over them "
            f"(more than {2 * width:,} are needed)"
        )
    if not np.isfinite(measured.balance.condition_number):
        return "cannot be tested: some directions are used by one of the two tables only"
    return "cannot be tested: single users decide whole directions, so a sample of users does not show the balance"


def _agreement(workspace: Workspace) -> str:
    whose = "the stated objective" if workspace.objective_stated else f"the objective “{workspace.objective_name}”"
    return f"near the 1 that {whose} leads to"


def _disagreement(workspace: Workspace) -> str:
    early = "training was stopped before it converged along the gauge"
    if workspace.objective_stated:
        return f"either {early}, or this contradicts the stated objective “{workspace.objective_name}”"
    return f"not converged along the gauge (1 at the optimum of “{workspace.objective_name}”)"


def _finding(workspace: Workspace, measured: _Measured | None, verdict: Verdict, summary: str, action: str) -> Finding:
    details: dict[str, Any] = {
        "users_are_all": _all_users_are_here(workspace),
        "expected": workspace.objective.balanced,
    }
    value, interval = None, None
    if measured is not None:
        found = measured.balance
        details |= {
            "condition_number": found.condition_number if np.isfinite(found.condition_number) else None,
            "commutator": found.commutator,
            "distance": found.distance,
            "scale": found.scale if np.isfinite(found.scale) else None,
            "rank": found.rank,
            "reading": found.verdict,
            "weighted_by_interactions": measured.weighted,
        }
        if measured.is_testable:
            value, interval = found.condition_number, measured.interval if measured.factor > 1 else None
    return Finding(
        id="balance",
        title="Balance of the two tables",
        value=value,
        interval=interval,
        summary=summary,
        verdict=verdict,
        cause="a penalty on both factors is stationary along the gauge only if PᵀP and QᵀQ are proportional "
        "(count-weighted "
        "penalties: those with each row weighted by its interactions); until then the initial values decide too",
        action=action,
        verify="train longer or with a larger penalty: κ of the balance must fall towards 1",
        gauge_dependent=True,
        group="identifiability",
        details=details,
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
    found = [workspace.mean_interval(neighbor_overlap(one, two).per_row) for one, two in itertools.pairwise(lists)]
    steps = [step.value for step in found]
    shipped = [neighbor_overlap(entry, workspace.probe_lists).mean for entry in lists]
    value, low, high = min(found)
    return Finding(
        id="strength_path",
        title="Neighbours along the strength of the penalty",
        value=value,
        interval=(low, high) if low < high else None,
        summary=f"halving λ in Eq. 2 at rank {wanted} keeps {value:.0%} to {max(steps):.0%} of the neighbours",
        verdict=workspace.thresholds["strength_path"].judge(value),
        cause="with a penalty on both factors λ decides how singular values are weighed in the cosine",
        action="tune λ for the similarity you want, not only for the score",
        verify="simgauge fit --penalty factors with other --l2, then simgauge compare",
        gauge_dependent=False,
        group="identifiability",
        details={"l2": [share * weakest for share in PATH], "successive": steps, "with_shipped": shipped},
    )
