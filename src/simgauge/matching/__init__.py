"""Whether two sources speak of the same items: how many ids they share, and whether the vectors fit their ids."""

from simgauge.matching.alignment import Alignment, measure_alignment
from simgauge.matching.check import AlignmentWarning, IdCheck, check_ids
from simgauge.matching.ids import IdMatch, IdSource, source_of, sources_of
from simgauge.matching.rows import check_rows

__all__ = [
    "Alignment",
    "AlignmentWarning",
    "IdCheck",
    "IdMatch",
    "IdSource",
    "check_ids",
    "check_rows",
    "measure_alignment",
    "source_of",
    "sources_of",
]
