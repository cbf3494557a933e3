"""What evidence and candidates must offer to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol, Self, runtime_checkable

from numpy.typing import NDArray

from simgauge.core.tables.kinds import Cube, Vector
from simgauge.embedding import Embedding
from simgauge.matching.ids import IdSource
from simgauge.parameters import check_offers

Scale = Literal["ratio", "difference"]


class UnitScores(NamedTuple):
    """How well one candidate agrees with the evidence, per unit: user, query or pair of items."""

    plain: Vector
    """(n_units,); the mean is the metric."""
    weighted: Vector | None = None
    """(n_units,): the same with the found items weighted by popularity to the power −exponent, the one that is stated;
    None where there is no such form."""
    others: Sequence[Vector] = ()
    """The weighted form at the other exponents of the scorer: shown, and not decided on."""
    lists: NDArray[Any] | None = None
    """(n_lists, k): the lists that were scored, -1 pads; None where pairs are scored without lists."""
    drawn: Cube | None = None
    """(2, n_drawn, n_measures): what each query of a sample that all units share moves the means of all measures by, in
    two random halves of the units, whose sum is all of it; see `luck_of_draw`. None where nothing was drawn."""


@runtime_checkable
class Candidate(Protocol):
    """A remedy, fitted: vectors with the metric to use, or neighbours only."""

    name: str
    metric: str

    def fit(self, embedding: Embedding, interactions: Any = None) -> Self:
        """Learn the map from what may be used for fitting; evidence is not."""

    def transform(self, embedding: Embedding) -> Embedding:
        """Both tables after the remedy."""

    def neighbors(self, embedding: Embedding, k: int, rows: NDArray[Any] | None = None) -> tuple[Any, Any]:
        """The k nearest other items of some item rows, nearest first, and their scores."""


class Scorer(Protocol):
    """Evidence bound to the rows of one embedding.

    Where units are pairs of things that recur, such as judged pairs of words, it also has ``nodes``, an array of shape
    (n_units, 2) with a number for each thing.
    """

    n_units: int
    notes: list[str]
    """What could not be used, with counts."""
    exponents: tuple[float, ...]
    """Of popularity in the measures, in the order of `UnitScores`: 0 for the plain one, then that of the weighted one,
    then the others; (0,) where there is no weighted form."""

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Scores of a fitted candidate; the units are the same, in the same order, for every candidate."""


class Evidence(Protocol):
    """One kind of evidence."""

    @property
    def unit(self) -> str:
        """What is resampled: "user", "query", "pair"."""

    @property
    def measure(self) -> str:
        """Name of the metric with its depth, such as "recall@20"."""

    @property
    def scale(self) -> Scale:
        """How two candidates are compared: as a ratio (metrics from 0 up) or a difference (correlations, AUC)."""

    def sources(self) -> list[IdSource]:
        """The ids by which it speaks of items and users, for the check of `simgauge.matching.check_ids`."""

    def bind(self, embedding: Embedding, seed: int = 0) -> Scorer:
        """Match the ids with those of an embedding."""


def check_evidence(evidence: Any) -> None:
    """Raise unless something can be asked as evidence is.

    Raises
    ------
    InputError
        A table, a path or anything else that is no evidence; the message names the kinds there are.

    Examples
    --------
    >>> check_evidence("ratings.csv")
    Traceback (most recent call last):
    simgauge.errors.InputError: evidence is of type str: expected CoConsumption, Labels, PairJudgements, Relevance or
    another kind of simgauge.evidence (evidence_from_files makes them from files).
    """
    kinds = "CoConsumption, Labels, PairJudgements, Relevance or another kind of simgauge.evidence"
    check_offers(
        evidence,
        "evidence",
        ("bind", "unit", "measure", "scale"),
        f"{kinds} (evidence_from_files makes them from files)",
    )
