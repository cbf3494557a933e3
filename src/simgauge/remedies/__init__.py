"""Remedies: estimators that move an embedding, say what it costs, and compose."""

from simgauge.remedies.all_but_the_top import AllButTheTop
from simgauge.remedies.baselines import Baseline, EaseWeights, RawColumns
from simgauge.remedies.candidates import default_candidates, default_references
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.remedies.centering import Centering
from simgauge.remedies.chain import Chain
from simgauge.remedies.csls import CSLS
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.remedies.local_scaling import LocalScaling
from simgauge.remedies.norm_discounting import NormDiscounting
from simgauge.remedies.refit import Refit
from simgauge.remedies.refit_family import RefitFamily
from simgauge.remedies.remedy import Remedy
from simgauge.remedies.saved_form import fingerprint
from simgauge.remedies.saving import load_remedy
from simgauge.remedies.standardizing import Standardizing
from simgauge.remedies.whitening import PopularityWhitening, Whitening

__all__ = [
    "CSLS",
    "AllButTheTop",
    "Baseline",
    "CanonicalGauge",
    "Centering",
    "Chain",
    "EaseWeights",
    "LeaveAlone",
    "LocalScaling",
    "NormDiscounting",
    "PopularityWhitening",
    "RawColumns",
    "Refit",
    "RefitFamily",
    "Remedy",
    "Standardizing",
    "Whitening",
    "default_candidates",
    "default_references",
    "fingerprint",
    "load_remedy",
]
