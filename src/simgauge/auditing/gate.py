"""A gate on a comparison of two models: relations that must not be, and how many neighbours must stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simgauge.auditing.comparison import ModelComparison
from simgauge.errors import ParameterError
from simgauge.parameters import check_choice

RELATIONS = (
    "identical",
    "rotation",
    "scale",
    "row lengths",
    "shift",
    "linear gauge",
    "linear map",
    "truncation",
    "quantisation",
    "permutation",
    "different",
    "undetermined",
)
"""Parts of `ModelComparison.relation`."""


@dataclass(frozen=True)
class GateResult:
    """Whether two models may pass for one another."""

    outcome: Literal["passed", "failed", "inconclusive"]
    reasons: tuple[str, ...]
    """A sentence for each demand that is not met or cannot be decided."""


def gate(compared: ModelComparison, *, refused: tuple[str, ...] = (), min_overlap: float | None = None) -> GateResult:
    """Hold a comparison against what a release demands.

    Parameters
    ----------
    compared : ModelComparison
    refused : tuple of str
        Relations that must not be, of `RELATIONS`; a relation of several parts is refused for any of them.
    min_overlap : float, in [0, 1], optional
        Least mean share of common neighbours.

    Returns
    -------
    GateResult
        "failed" where a refused relation was found or the whole interval of the overlap lies below `min_overlap`.
        "inconclusive" where `min_overlap` lies within the interval, or the relation is undetermined and
        "undetermined" was not refused itself.

    Examples
    --------
    >>> import numpy as np
    >>> from simgauge.auditing.comparison import compare
    >>> table = np.random.default_rng(0).normal(size=(40, 3))
    >>> gate(compare(table, 2 * table, k=5), refused=("different",), min_overlap=0.8).outcome
    'passed'
    """
    for name in refused:
        check_choice(name, "fail_on", RELATIONS)
    if min_overlap is not None and not 0 <= min_overlap <= 1:
        raise ParameterError(f"min_overlap={min_overlap}: expected a share from 0 to 1.")
    failed, open_ = [], []
    found = [name for name in compared.relation.split(" + ") if name in refused]
    if found:
        failed.append(f"the relation of the models is {compared.relation!r}, and {found[0]!r} is refused.")
    elif refused and compared.relation == "undetermined":
        open_.append("the relation of the models is undetermined: pass the users of both, or more items.")
    low, high = compared.interval
    if min_overlap is not None and high < min_overlap:
        failed.append(f"{compared.neighbor_overlap:.1%} of the neighbours are common, below {min_overlap:.1%}.")
    elif min_overlap is not None and low < min_overlap:
        open_.append(
            f"{compared.neighbor_overlap:.1%} of the neighbours are common, between {low:.1%} and {high:.1%} for all "
            f"items, "
            f"which does not decide about {min_overlap:.1%}: raise --sample."
        )
    return GateResult("failed" if failed else "inconclusive" if open_ else "passed", (*failed, *open_))
