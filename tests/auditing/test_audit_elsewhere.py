"""Audits of tables that are not one array on the host: in parts, memory-mapped, or tensors. The same numbers
everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import audit, canonical_form, canonical_gauge, gauge_transform, random_gauge
from simgauge.core.neighbors import streamed_topk
from simgauge.core.tables import tables
from simgauge.core.tables.row_parts import LocalParts
from simgauge.embedding import Embedding


@pytest.fixture(params=[np.float32, np.float64])
def model(rng, request):
    """Items with copies and a zero row, users with a bias column: something for every check to find."""
    spread = np.geomspace(1, 0.1, 8)
    items = (rng.standard_normal((700, 8)) * spread).astype(request.param)
    items[5], items[6] = items[7], 0.0
    users = (rng.standard_normal((900, 8)) * spread[::-1]).astype(request.param)
    users[:, 3] = 1.0
    return Embedding(items, users=users)


def in_parts(table, edges):
    return LocalParts([table[a:b] for a, b in zip([0, *edges], [*edges, len(table)], strict=True)])


def elsewhere(model, edges):
    return Embedding(in_parts(model.items, edges), users=in_parts(model.users, edges[::-1] and sorted(edges)))


def as_tensors(model, device="cpu"):
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    return Embedding(
        torch.tensor(np.array(model.items), device=device), users=torch.tensor(np.array(model.users), device=device)
    )


def assert_same_audit(one, other, dtype):
    eps = float(np.finfo(dtype).eps)
    assert [finding.id for finding in one.findings] == [finding.id for finding in other.findings]
    for left, right in zip(one.findings, other.findings, strict=True):
        assert left.verdict == right.verdict, f"{left.id}"
        if left.value is None:
            assert right.value is None
        else:  # sums over 1,000 rows of other blocks; a list may tie within rounding
            assert right.value == pytest.approx(left.value, rel=1e4 * eps, abs=1e4 * eps), f"{left.id}"


@pytest.mark.parametrize("objective", ["unknown", "als", "unit-sphere"])
@pytest.mark.parametrize("edges", [[300], [0, 1, 450, 450, 699]])
def test_an_audit_of_parts_is_the_audit_of_the_whole(model, edges, objective, monkeypatch):
    monkeypatch.setattr(tables, "ROWS_PER_BLOCK", 128)
    one = audit(model, objective, k=5, sample=200)
    other = audit(elsewhere(model, edges), objective, k=5, sample=200)
    if objective == "unit-sphere":
        return  # spans are decided from samples there; the rest is the same code
    assert_same_audit(one, other, model.items.dtype)


def test_an_audit_of_tensors_is_the_audit_of_the_arrays(model):
    assert_same_audit(audit(model, k=5, sample=200), audit(as_tensors(model), k=5, sample=200), model.items.dtype)


def test_a_change_in_one_part_changes_the_audit(model):
    """The control: parts that are not the same rows give another audit."""
    items = np.array(model.items)
    items[400:500] = 0.0
    other = audit(Embedding(in_parts(items, [300]), users=in_parts(model.users, [300])), k=5, sample=200)
    with pytest.raises(AssertionError):
        assert_same_audit(audit(model, k=5, sample=200), other, model.items.dtype)


@pytest.mark.parametrize("place", [lambda m: elsewhere(m, [123, 400]), as_tensors], ids=["parts", "tensors"])
def test_gauges_are_made_where_the_tables_are(model, place):
    moved = place(model)
    one, other = canonical_form(model), canonical_form(moved)
    eps = float(np.finfo(model.items.dtype).eps)
    np.testing.assert_allclose(other.singular_values, one.singular_values, rtol=1e3 * eps)
    for there, here in ((other.right, one.right), (other.left, one.left)):
        assert type(there) is type(moved.items)
        brought = there.gather() if isinstance(there, LocalParts) else there.numpy()
        np.testing.assert_allclose(brought, here, atol=1e3 * eps)
    for change in (lambda e: canonical_gauge(e, 0.5, "users"), lambda e: gauge_transform(e, random_gauge(8, 10.0))):
        brought = change(moved).items
        brought = brought.gather() if isinstance(brought, LocalParts) else brought.numpy()
        here = change(model).items
        np.testing.assert_allclose(brought @ brought.T, here @ here.T, atol=1e5 * eps)  # axes have no fixed sign


def test_streamed_lists_of_parts_and_tensors(model, monkeypatch):
    monkeypatch.setattr(streamed_topk, "BLOCK_BYTES", 8 * 8 * 100)
    rows = np.arange(0, 700, 9)
    expected = streamed_topk.streamed_top_k(model.items, rows, 4)
    for place in (elsewhere(model, [1, 350]), as_tensors(model)):
        indices, scores = streamed_topk.streamed_top_k(place.items, rows, 4, block_bytes=8 * 8 * 100)
        np.testing.assert_array_equal(indices, expected[0])
        np.testing.assert_allclose(scores, expected[1], rtol=1e-5)


def test_the_tables_never_come_to_the_host(rng, monkeypatch):
    """No silent copies: sums, lists and samples may cross, a table may not."""
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    moved = as_tensors(Embedding(rng.standard_normal((50_000, 8)), users=rng.standard_normal((60_000, 8))))
    largest = 20_000 * 8  # one side of the sampled pairs

    def guarded(name):
        original = getattr(torch.Tensor, name)

        def method(self, *args, **kwargs):
            assert self.ndim < 2 or self.numel() <= largest, f"{name} of {tuple(self.shape)}"
            return original(self, *args, **kwargs)

        return method

    for name in ("numpy", "cpu", "__array__", "tolist"):
        monkeypatch.setattr(torch.Tensor, name, guarded(name))
    audit(moved, k=5, sample=100)
    canonical_form(moved)
    with pytest.raises(AssertionError, match="numpy"):
        moved.items.numpy()


def test_saving_brings_the_tables_here(model, tmp_path):
    for number, place in enumerate((elsewhere(model, [10]), as_tensors(model))):
        place = Embedding(place.items, place.users, user_ids=np.arange(900))
        loaded = Embedding.load(place.save(tmp_path / str(number)))
        np.testing.assert_array_equal(loaded.items, model.items)
        np.testing.assert_array_equal(loaded.users, model.users)
