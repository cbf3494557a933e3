"""Hold interactions out, so that what scores an embedding was never used to train it."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from simgauge.core.scores.pair_recall import holdout_split
from simgauge.core.scores.splits import latest_split, user_split
from simgauge.core.tables.kinds import Vector
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.interactions import Interactions, require_interactions
from simgauge.parameters import Rng, as_generator

By = Literal["interaction", "user", "time"]


class HoldOut(NamedTuple):
    """What may be used for fitting, and what must not."""

    training: Interactions
    """Train on this, and pass it as `interactions` to `fix`."""
    evidence: CoConsumption
    """Score with this."""


def hold_out(
    interactions: Interactions,
    by: By = "interaction",
    share: float = 0.2,
    *,
    times: Any = None,
    rng: Rng = 0,
    **options: Any,
) -> HoldOut:
    """Split interactions into a part to train on and evidence of co-consumption.

    Parameters
    ----------
    interactions : Interactions
        Users with one interaction stay in training; they cannot be scored.
    by : {"interaction", "user", "time"}
        "interaction": a random share of every user's. "user": a share of the users, all of theirs; one half of what
        they used asks for the other half. "time": the latest share of every user's.
    share : float in (0, 1)
    times : Interactions or array-like, optional
        For "time": a timestamp per pair, as `Interactions` whose weights are times (``read_interactions(...,
        weight="timestamp", duplicates="max")``), or an array in the order of ``interactions.matrix.data``. Any order;
        pairs without one are trained on, with a warning.
    rng : int or numpy.random.Generator
    **options
        Of `CoConsumption`: metric, k, max_queries.

    Returns
    -------
    HoldOut
        ``training`` and ``evidence``, with the ids of `interactions`; popularity is counted in all of them.

    Raises
    ------
    ParameterError
        Unknown `by`, share outside (0, 1), times missing or given without use.
    InputError
        Nothing can be held out; times that do not fit the interactions.

    Examples
    --------
    >>> seen = Interactions(np.ones((3, 10)))
    >>> hold_out(seen, share=0.3, k=2).evidence
    CoConsumption(recall@2, 3 users, 9 held-out pairs)
    >>> hold_out(seen, by="user", share=0.3).training.nnz
    20
    """
    if by not in get_args(By):
        raise ParameterError(f"by={by!r}: expected one of {', '.join(map(repr, get_args(By)))}.")
    if not 0 < share < 1:
        raise ParameterError(f"share={share}: expected a number between 0 and 1, such as 0.2.")
    if (times is not None) != (by == "time"):
        need = "needs times, one per pair" if by == "time" else "takes no times; pass by='time' to use them"
        raise ParameterError(f"by={by!r} {need}.")
    require_interactions(interactions, "interactions")
    matrix = interactions.matrix
    if int(interactions.user_counts.max()) < 2:
        raise InputError("every user has a single interaction, so nothing can be held out of anyone.")
    if by == "user":
        training, used, later = user_split(matrix, share, as_generator(rng))
    elif by == "time":
        training, later = latest_split(matrix, _times(interactions, times), share)
        used = training
    else:
        training, later = holdout_split(matrix, share, as_generator(rng))
        used = training
    if later.nnz == 0 or training.nnz == 0:
        raise InputError(
            f"by={by!r}, share={share} holds out {later.nnz} of {matrix.nnz} pairs: nothing to score with or to train "
            "on. Raise or lower the share; by='time' needs users whose times differ."
        )
    popularity = np.maximum(interactions.item_counts, 1)
    evidence = CoConsumption(
        interactions.with_matrix(used), interactions.with_matrix(later), popularity=popularity, **options
    )
    return HoldOut(interactions.with_matrix(training), evidence)


def _times(interactions: Interactions, times: Any) -> Vector:
    """One time per entry of the matrix, NaN where there is none."""
    matrix = interactions.matrix
    if isinstance(times, Interactions):
        stamps = times.align(interactions.item_ids, interactions.user_ids).matrix
        rows = np.repeat(np.arange(interactions.n_users), interactions.user_counts)
        found = np.asarray(stamps[rows, matrix.indices], dtype=np.float64).ravel()
        values = np.where(found > 0, found, np.nan)
    else:
        values = np.asarray(times, dtype=np.float64)
    if values.shape != (matrix.nnz,):
        raise InputError(f"times: expected {matrix.nnz} numbers, one per pair, received shape {values.shape}.")
    missing = int((~np.isfinite(values)).sum())
    if missing == len(values):
        raise InputError("times: every timestamp is missing; take by='interaction' instead.")
    if missing:
        text = f"{missing} of {len(values)} pairs have no timestamp: they are trained on and never held out."
        warnings.warn(text, DroppedDataWarning, stacklevel=3)
    return values
