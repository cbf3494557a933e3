"""Held-out interactions of one event a user ask with what was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.errors import InputError
from simgauge.evidence import held_out_evidence
from simgauge.interactions import Interactions


def test_one_event_a_user_needs_the_training_interactions():
    later = Interactions(np.eye(5))
    with pytest.raises(InputError, match=r"one interaction only: .*--interactions FILE, training="):
        held_out_evidence(later)
    training = Interactions(np.roll(np.eye(5), 1, axis=1))
    assert held_out_evidence(later, training, k=2).held_out.nnz == 5
