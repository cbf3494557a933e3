"""The choice beside what the interactions say: compared on the same units, pair by pair."""

from __future__ import annotations

import numpy as np

from simgauge.core.inference.paired import bootstrap_means
from simgauge.core.inference.tradeoff import Scale, changes, measure_weights
from simgauge.embedding import Embedding
from simgauge.evidence.matching import is_list_only
from simgauge.selection.deciding import Settings
from simgauge.selection.item_lists import ItemLists
from simgauge.selection.record import Change
from simgauge.selection.scoring import Scored


def lists_beside(
    scored: Scored, chosen: str, embedding: Embedding, scale: Scale, settings: Settings
) -> ItemLists | None:
    """The reference of largest gain against the chosen candidate; None where no reference was scored.

    Parameters
    ----------
    scored : Scored
        References among the candidates.
    chosen : str
        Name of the candidate that `decide` chose, the baseline included.
    embedding : Embedding
        What the references were fitted for.
    scale, settings
        As for `decide`.

    Notes
    -----
    Paired percentile interval over units, at 1 − (1 − confidence) / m for m references (Bonferroni), so that the chance
    that any of them is called better without being so stays where it is meant.
    """
    references = [index for index, candidate in enumerate(scored.candidates) if is_list_only(candidate)]
    if not references:
        return None
    own = next(index for index, candidate in enumerate(scored.candidates) if candidate.name == chosen)
    units = scored.units[:, :, [own, *references]]
    weights = measure_weights(units.shape[1], settings.popularity_tradeoff)
    rng = np.random.default_rng(settings.seed)
    again = bootstrap_means(units.reshape(len(units), -1), rng, settings.n_resamples)
    gain = weights @ changes(units.mean(axis=0), scale)
    gains = np.einsum("m,bmc->bc", weights, changes(again.reshape(-1, *units.shape[1:]), scale))
    best = 1 + int(gain[1:].argmax())
    tail = (1 - settings.confidence) / (2 * len(references))
    values = np.array([gain[best], *np.quantile(gains[:, best], [tail, 1 - tail])])
    value, low, high = (np.exp(values) if scale == "ratio" else values).tolist()
    reference = scored.candidates[references[best - 1]]
    return ItemLists(reference.name, Change(value, low, high, scale), reference, embedding)
