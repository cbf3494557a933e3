"""The candidate that changes nothing, and wins whenever no other is better beyond doubt."""

from __future__ import annotations

from typing import Any

from simgauge.core.tables.kinds import FloatTable
from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.remedy import KEPT, Remedy


class LeaveAlone(Remedy):
    """The vectors as they were shipped.

    Parameters
    ----------
    metric : {"cosine", "dot"}
        How they are compared.

    Gauge
    -----
    Arbitrary: whatever gauge the vectors came in.

    Examples
    --------
    >>> embedding = Embedding([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
    >>> LeaveAlone().fit(embedding).neighbors(embedding, 1)[0].ravel()
    array([1, 0, 1])
    """

    metric: str = "cosine"

    def __init__(self, metric: str = "cosine") -> None:
        self.metric = metric

    @property
    def name(self) -> str:
        """Says the metric."""
        return f"leave alone({self.metric})"

    @property
    def keeps_predictions(self) -> bool | None:
        """Always."""
        return True

    def _check_parameters(self) -> None:
        if self.metric not in ("cosine", "dot"):
            raise ParameterError(f"metric={self.metric!r}: expected 'cosine' or 'dot'.")

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:  # noqa: ARG002
        return KEPT

    def _gauge_of(self, embedding: Embedding) -> dict[str, Any]:  # noqa: ARG002
        """As it was: no vector moves."""
        return {}

    def _move_items(self, table: FloatTable) -> FloatTable:
        return table

    def _move_users(self, table: FloatTable) -> FloatTable:
        return table
