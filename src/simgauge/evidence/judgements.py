"""Evidence from people: how similar two items are, as somebody judged it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simgauge.core.scores.judged_pairs import auc_units, spearman_units
from simgauge.core.tables.kinds import Vector
from simgauge.core.tables.tables import unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence.matching import moved_by_map
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.labels import as_label_array, distinct_labels, rows_of
from simgauge.matching.ids import IdSource


@dataclass(frozen=True, eq=False)
class PairJudgements:
    """Judged similarity of pairs of items.

    Parameters
    ----------
    left, right : sequence of int or str, length n_pairs
        Item ids.
    judgements : sequence of float, length n_pairs
        Higher is more similar. Two values make it a binary judgement.
    metric : {"auto", "spearman", "auc"}
        "auto": AUC for two values, Spearman's rank correlation otherwise. AUC takes the larger of the two values as
        "similar". Ties share ranks in Spearman and count one half in AUC.

    Raises
    ------
    InputError
        Unequal lengths, NaN, judgements that are all the same, AUC of more than two values.

    Notes
    -----
    The unit is the pair. Pairs that share an item are not independent: intervals allow for items as for pairs.

    Examples
    --------
    >>> PairJudgements(["cat", "cat"], ["dog", "car"], [4.5, 1.0])
    PairJudgements(auc, 2 pairs)
    """

    left: Any
    right: Any
    judgements: Any
    metric: Literal["auto", "spearman", "auc"] = "auto"

    def __post_init__(self) -> None:
        left, right = as_label_array(self.left, "left"), as_label_array(self.right, "right")
        judgements = np.asarray(self.judgements, dtype=np.float64)
        if not len(left) == len(right) == judgements.size:
            raise InputError(
                f"{len(left)} left ids, {len(right)} right ids, {judgements.size} judgements: pass as many."
            )
        if not np.isfinite(judgements).all():
            raise InputError(f"{int((~np.isfinite(judgements)).sum())} judgements are NaN or infinite: leave them out.")
        values = np.unique(judgements)
        if len(values) < 2:
            raise InputError(f"all {len(left)} judgements are {values[0]}: a single class cannot be ordered.")
        if self.metric not in ("auto", "spearman", "auc"):
            raise ParameterError(f"metric={self.metric!r}: expected 'auto', 'spearman' or 'auc'.")
        metric = ("auc" if len(values) == 2 else "spearman") if self.metric == "auto" else self.metric
        if metric == "auc" and len(values) > 2:
            raise InputError(
                f"metric='auc' takes two values, received {len(values)}: set a threshold, or use 'spearman'."
            )
        for name, value in (("left", left), ("right", right), ("judgements", judgements), ("metric", metric)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"PairJudgements({self.metric}, {len(self.left)} pairs)"

    @property
    def unit(self) -> str:
        """Pairs are resampled."""
        return "pair"

    @property
    def measure(self) -> str:
        """ "spearman" or "auc"."""
        return self.metric

    @property
    def scale(self) -> Scale:
        """Candidates are compared by difference."""
        return "difference"

    def sources(self) -> list[IdSource]:
        """Ids of the judged items."""
        return [IdSource("the judged pairs", distinct_labels(self.left, self.right))]

    def bind(self, embedding: Embedding, seed: int = 0) -> PairScorer:  # noqa: ARG002 (nothing is drawn)
        """Match with an embedding; pairs with an item that it lacks are left out."""
        left = rows_of(self.left, embedding.item_ids, "items")
        right = rows_of(self.right, embedding.item_ids, "items")
        known = (left >= 0) & (right >= 0)
        if known.sum() == 0 or np.ptp(self.judgements[known]) == 0:
            raise InputError(
                f"{int(known.sum())} of {len(known)} judged pairs have both items in the embedding, and their "
                f"judgements "
                "do not differ: pass more pairs."
            )
        notes = []
        if not known.all():
            notes.append(f"{int((~known).sum())} of {len(known)} pairs have an item that the embedding lacks")
        return PairScorer(self, left[known], right[known], self.judgements[known], notes)


class PairScorer:
    """Judged pairs in rows of one embedding."""

    def __init__(
        self,
        evidence: PairJudgements,
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        judgements: Vector,
        notes: list[str],
    ) -> None:
        self.evidence, self.left, self.right, self.judgements, self.notes = evidence, left, right, judgements, notes
        self.n_units, self.exponents = len(left), (0.0,)
        self.nodes = np.stack([left, right], axis=1)

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """One number per pair whose mean is the coefficient; there is no weighted form."""
        items = moved_by_map(candidate, embedding).items
        table = unit_rows(items) if candidate.metric == "cosine" else items
        similarity = np.einsum("ij,ij->i", table[self.left], table[self.right], dtype=np.float64)
        if self.evidence.metric == "spearman":
            return UnitScores(spearman_units(similarity, self.judgements))
        return UnitScores(auc_units(similarity, self.judgements == self.judgements.max()))
