"""Models beside each other under evidence, without choosing anything."""

from simgauge.evaluation.evaluate import evaluate
from simgauge.evaluation.record import Evaluation, Measured

__all__ = ["Evaluation", "Measured", "evaluate"]
