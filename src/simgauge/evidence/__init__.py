"""What one knows about similarity apart from the embedding: held-out use, labels, judgements, relevance."""

from simgauge.evidence.coconsumption import CoConsumption
from simgauge.evidence.from_files import evidence_from_files
from simgauge.evidence.judgements import PairJudgements
from simgauge.evidence.labels import Labels
from simgauge.evidence.later import held_out_evidence
from simgauge.evidence.protocol import Candidate, Evidence, Scorer, UnitScores
from simgauge.evidence.relevance import Relevance
from simgauge.evidence.splitting import HoldOut, hold_out

__all__ = [
    "Candidate",
    "CoConsumption",
    "Evidence",
    "HoldOut",
    "Labels",
    "PairJudgements",
    "Relevance",
    "Scorer",
    "UnitScores",
    "evidence_from_files",
    "held_out_evidence",
    "hold_out",
]
