"""A saved map on later vectors: zero vectors stay zero, whatever the map adds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.remedies import Centering
from simgauge.shipping.apply import ZeroVectorWarning, apply


def test_zero_rows_stay_zero_and_are_named(rng):
    items = rng.standard_normal((30, 3)) + 5
    fitted = Centering().fit(Embedding(items))
    later = items[:8].copy()
    later[[2, 5]] = 0
    with pytest.warns(ZeroVectorWarning, match=r"2 items have a zero vector \('tea', 'rum'\).*they stay zero") as told:
        moved = apply(fitted, Embedding(later, item_ids=["a", "b", "tea", "d", "e", "rum", "g", "h"]))
    assert [warning.filename for warning in told] == [__file__]
    assert not moved.items[[2, 5]].any()
    own = [0, 1, 3, 4, 6, 7]
    np.testing.assert_array_equal(moved.items[own], fitted.transform(Embedding(later[own])).items)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        control = apply(fitted, items[:8])
    assert control.items.any(axis=1).all()


def test_a_table_of_zeros_stays_one():
    fitted = Centering().fit(Embedding([[1.0, 2.0], [3.0, 4.0]]))
    with pytest.warns(ZeroVectorWarning, match="1 item has a zero vector"):
        np.testing.assert_array_equal(apply(fitted, [[0.0, 0.0]]).items, [[0.0, 0.0]])
