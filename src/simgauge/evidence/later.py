"""Evidence from interactions that were never trained on."""

from __future__ import annotations

import warnings
from typing import Any

from scipy import sparse

from simgauge.core.scores.pair_recall import holdout_split
from simgauge.errors import DroppedDataWarning, InputError
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.interactions import Interactions, require_interactions
from simgauge.parameters import Rng, as_generator


def held_out_evidence(
    held_out: Interactions, training: Interactions | None = None, *, rng: Rng = 0, **options: Any
) -> CoConsumption:
    """Co-consumption from interactions that the model was not trained on.

    Parameters
    ----------
    held_out : Interactions
        Not used in training.
    training : Interactions, optional
        What was. With it, what a user used in training asks for what is held out of them; pairs that are in both are
        dropped with a warning. Without it, a random half of each user's held-out interactions asks for the other.
    rng : int or numpy.random.Generator
        Of the halves.
    **options
        Of `CoConsumption`: metric, k, max_queries.

    Raises
    ------
    InputError
        The two share no user or no item, or nothing new is left.

    Examples
    --------
    >>> import numpy as np
    >>> later = Interactions(np.ones((4, 6)))
    >>> held_out_evidence(later, k=2)
    CoConsumption(recall@2, 4 users, 12 held-out pairs)
    """
    require_interactions(held_out, "held_out")
    if training is None:
        used, asked = holdout_split(held_out.matrix, 0.5, as_generator(rng))
        if asked.nnz == 0:
            raise InputError(
                "every user holds one interaction only: there are no two to ask with and for. Pass what the model was "
                "trained on, to ask with (--interactions FILE, training=)."
            )
        return CoConsumption(held_out.with_matrix(used), held_out.with_matrix(asked), **options)
    require_interactions(training, "training")
    later = held_out.align(training.item_ids, training.user_ids)
    seen = sparse.csr_array(later.matrix.multiply(training.matrix.astype(bool)))
    if seen.nnz:
        text = (
            f"{seen.nnz} of {later.nnz} held-out pairs were in the training data: they are not evidence and are "
            f"dropped."
        )
        warnings.warn(text, DroppedDataWarning, stacklevel=2)
    new = sparse.csr_array(later.matrix - seen)
    new.eliminate_zeros()
    if new.nnz == 0:
        raise InputError("no held-out pair is new to users and items of the training data: nothing to score with.")
    return CoConsumption(training, training.with_matrix(new), **options)
