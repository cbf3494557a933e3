"""Losses against sums written out, and the correction for draws against the whole sum."""

from __future__ import annotations

import numpy as np
import torch

from simgauge.cosine_training.draws import ItemDraws
from simgauge.cosine_training.objectives import bilateral_loss, full_softmax_loss, sampled_softmax_loss


def unit(rng, *shape):
    table = rng.standard_normal(shape)
    return torch.from_numpy(table / np.linalg.norm(table, axis=1, keepdims=True))


def test_the_full_loss_is_the_sum_written_out(rng):
    users, items, positives = unit(rng, 5, 3), unit(rng, 7, 3), torch.tensor([0, 6, 2, 2, 1])
    expected = []
    for user, positive in zip(users.numpy(), positives.numpy(), strict=True):
        logits = items.numpy() @ user / 0.3
        expected.append(np.log(np.exp(logits).sum()) - logits[positive])
    np.testing.assert_allclose(full_softmax_loss(users, items, positives, 0.3).item(), np.mean(expected), rtol=1e-12)


def draws_of(rng, n_items, size, corrected):
    """The sampled estimate of the sum over all items, and the sum, for one user; over many draws."""
    users, items = unit(rng, 1, 4), unit(rng, n_items, 4)
    counts = np.ceil(20 * np.exp(2 * (items @ users[0]).numpy())).astype(np.int64)  # those near the user are popular
    draws = ItemDraws(counts, 0.75, np.random.default_rng(0))
    log_q = torch.from_numpy(np.log(draws.probabilities * size))
    estimates = []
    for _ in range(300):
        drawn = torch.from_numpy(draws.draw(size))
        same = drawn[None, :] == 0
        used = log_q if corrected else torch.full_like(log_q, np.log(size / n_items))
        loss = sampled_softmax_loss(users, items[:1], items[drawn], (used[:1], used[drawn]), same, 0.5)
        estimates.append(torch.exp(loss).item())
    whole = torch.exp(full_softmax_loss(users, items, torch.tensor([0]), 0.5)).item()
    return np.mean(estimates), np.std(estimates) / np.sqrt(300), whole


def test_the_correction_makes_the_sampled_sum_unbiased(rng):
    """Theorem: E Σ exp(l_j)/(m q_j) over draws is Σ exp(l_j) over all other items. Control: uncorrected it is not."""
    mean, error, whole = draws_of(rng, 40, 60, corrected=True)
    assert abs(mean - whole) < 4 * error
    mean, error, whole = draws_of(np.random.default_rng(1), 40, 60, corrected=False)
    assert abs(mean - whole) > 4 * error


def test_the_two_sided_loss_discounts_what_fits_badly(rng):
    """At τ₁ = ∞ it is τ times the full loss; below, the batch's worst interactions count less than its mean."""
    users, items, positives = unit(rng, 6, 3), unit(rng, 9, 3), torch.arange(6)
    full = 0.2 * full_softmax_loss(users, items, positives, 0.2)
    assert torch.isclose(bilateral_loss(users, items, positives, 0.2, 1e4), full, rtol=1e-3)
    assert bilateral_loss(users, items, positives, 0.2, 0.1) < full - 1e-3
