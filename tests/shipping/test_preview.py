"""preview: what fewer numbers keep, by a slow reference, with evidence and its paired interval."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError, Interactions, ParameterError
from simgauge.evidence import CoConsumption
from simgauge.selection.scoring import LeakedEvidenceWarning
from simgauge.shipping.preview import preview


@pytest.fixture
def table(rng):
    return rng.standard_normal((250, 10)) * np.geomspace(3, 0.05, 10)


def slow_lists(table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return [set(np.argsort(-row, kind="stable")[:k]) for row in cosines]


def test_the_share_of_neighbours_is_that_of_plain_loops(table):
    found = preview(table, dims=[4, 2], k=5)
    whole = slow_lists(table, 5)
    by_form = {(row.n_components, row.order): row.neighbors_kept.value for row in found.rows}
    assert by_form[10, "principal"] == 1.0
    for size in (4, 2):
        expected = np.mean([len(a & b) / 5 for a, b in zip(whole, slow_lists(table[:, :size], 5), strict=True)])
        assert abs(by_form[size, "columns"] - expected) < 1e-3
    assert by_form[4, "principal"] > by_form[2, "principal"]


def test_principal_columns_keep_more_where_columns_are_mixed(table, rng):
    mixed = table @ np.linalg.qr(rng.standard_normal((10, 10)))[0]
    rows = preview(mixed, dims=[5], k=5).rows
    kept = {row.order: row.neighbors_kept.value for row in rows if row.n_components == 5}
    assert kept["principal"] > kept["columns"] + 0.1


def test_fewer_bits_keep_less(table):
    rows = preview(table, precision=["float32", "float16", "int8", "binary"], k=5).rows
    kept = [row.neighbors_kept.value for row in rows]
    assert kept == sorted(kept, reverse=True)
    assert kept[1] > 0.98 > kept[3]
    assert [row.bytes_per_row for row in rows] == [40, 20, 10, 2]


def test_evidence_is_scored_on_every_form(rng):
    """Users like one cluster; the clusters lie in the first two columns, the rest is noise."""
    cluster = np.arange(120) % 3
    centre = np.column_stack([np.cos(cluster * 2.1), np.sin(cluster * 2.1)])
    items = np.hstack([centre + 0.05 * rng.standard_normal((120, 2)), 0.7 * rng.standard_normal((120, 6))])
    used, later = np.zeros((60, 120)), np.zeros((60, 120))
    for user in range(60):
        own = rng.permutation(np.flatnonzero(cluster == user % 3))
        used[user, own[:5]], later[user, own[5:15]] = 1, 1
    evidence = CoConsumption(Interactions(used), Interactions(later), k=10)
    found = preview(Embedding(items, item_ids="positions"), dims=[2], evidence=evidence, orders=["columns"], k=5)
    whole, two = found.rows
    assert whole.change.value == 1.0
    assert two.evidence.value > whole.evidence.value  # without the noise the clusters are clearer
    assert two.change.low > 1.0
    assert found.measure == "recall@10"
    assert "could not be checked that the held-out events are new" in found.notes[0]
    assert found.to_dict()["notes"] == list(found.notes)
    trained = Interactions(used + later * (np.arange(60) < 20)[:, None])
    with pytest.warns(LeakedEvidenceWarning, match="200 held-out pairs are in the training interactions") as told:
        fewer = preview(Embedding(items, item_ids="positions"), evidence=evidence, interactions=trained)
    assert [warning.filename for warning in told] == [__file__]
    assert fewer.notes == ()
    assert fewer.rows[0].evidence.value != whole.evidence.value


def test_bad_input(table):
    with pytest.raises(ParameterError, match="from 1 to 10"):
        preview(table, dims=[11])
    with pytest.raises(ParameterError, match="precision='int4'"):
        preview(table, precision=["int4"])
    with pytest.raises(InputError, match="pass more rows"):
        preview(table[:8], k=10)
