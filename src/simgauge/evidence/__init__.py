"""What one knows about similarity apart from the embedding: what was used later or next, labels, judgements,
clicks and the like."""

from simgauge.evidence.bought_together import BoughtTogether
from simgauge.evidence.clicks import Clicks
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.evidence.from_files import evidence_from_files
from simgauge.evidence.impressions import Impressions
from simgauge.evidence.judgements import PairJudgements
from simgauge.evidence.labels import Labels
from simgauge.evidence.later import held_out_evidence
from simgauge.evidence.next_item import NextItem
from simgauge.evidence.protocol import Candidate, Evidence, Scorer, UnitScores
from simgauge.evidence.relevance import Relevance
from simgauge.evidence.similar_users import SimilarUsers
from simgauge.evidence.splitting import HoldOut, hold_out
from simgauge.evidence.user_items import UserItems

__all__ = [
    "BoughtTogether",
    "Candidate",
    "Clicks",
    "CoConsumption",
    "Evidence",
    "HoldOut",
    "Impressions",
    "Labels",
    "NextItem",
    "PairJudgements",
    "Relevance",
    "Scorer",
    "SimilarUsers",
    "UnitScores",
    "UserItems",
    "evidence_from_files",
    "held_out_evidence",
    "hold_out",
]
