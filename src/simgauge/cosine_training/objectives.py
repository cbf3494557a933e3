"""Losses of cosines: softmax over all items, softmax over drawn items, and temperatures of both sides."""

from __future__ import annotations

import math
from typing import Any

from simgauge.errors import ParameterError


def full_softmax_loss(users: Any, items: Any, positives: Any, temperature: Any) -> Any:
    """Mean of −log softmax(u·q/τ) at the item that was used, over all items.

    Parameters
    ----------
    users : tensor (b, d)
        Unit rows, one for each interaction of the batch.
    items : tensor (n_items, d)
        Unit rows of all items.
    positives : int64 tensor (b,)
        The item of each interaction.
    temperature : float or tensor
        τ > 0.

    Returns
    -------
    tensor ()

    Notes
    -----
    Cost O(b n d). Every item is a negative of every interaction, others of the same user included: masking those was
    measured and brought nothing.
    """
    from torch.nn import functional

    return functional.cross_entropy(users @ items.T / temperature, positives)


def sampled_softmax_loss(
    users: Any, positives: Any, negatives: Any, log_q: tuple[Any, Any], same: Any, temperature: Any
) -> Any:
    """Mean of −log softmax over the item that was used and drawn ones, corrected for how often each is drawn.

    With logits l, the sum over all items is estimated by Σ exp(l_j − log(m q_j)) over m draws (logQ correction), so the
    loss estimates that of all items.

    Parameters
    ----------
    users, positives : tensor (b, d)
        Unit rows: the user and the item of each interaction.
    negatives : tensor (m, d)
        Unit rows of the drawn items, shared by the batch.
    log_q : pair of tensors (b,) and (m,)
        log of the expected number of draws of each positive and of each drawn item.
    same : bool tensor (b, m)
        Where a drawn item is the interaction's own: those do not count.
    temperature : float or tensor
        τ > 0.

    Returns
    -------
    tensor ()

    References
    ----------
    Bengio & Senécal (2008); Yi et al. (2019), eq. 4 for the correction.
    """
    import torch
    from torch.nn import functional

    own = (users * positives).sum(1) / temperature
    drawn = users @ negatives.T / temperature - log_q[1]
    drawn = drawn.masked_fill(same, -torch.inf)
    logits = torch.cat([own[:, None], drawn], dim=1)
    return functional.cross_entropy(logits, torch.zeros(len(users), dtype=torch.long, device=users.device))


def bilateral_loss(users: Any, items: Any, positives: Any, temperature: Any, user_temperature: float) -> Any:
    """Two-sided softmax loss: −τ₁ log mean exp(gap/τ₁) over the batch, gap = u·q − τ log Σ exp(u·q'/τ).

    Parameters
    ----------
    users, items, positives, temperature
        As in `full_softmax_loss`.
    user_temperature : float
        τ₁ > 0: how strongly interactions that fit badly are discounted; at infinity each counts the same.

    Returns
    -------
    tensor ()

    References
    ----------
    After Wu et al. (2024), "BSL: Understanding and improving softmax loss for recommendation"; interactions are pooled
    over the batch here, not over the items of one user.
    """
    import torch

    scores = users @ items.T
    own = scores.gather(1, positives[:, None])[:, 0]
    against = torch.logsumexp(scores / temperature, dim=1) * temperature
    gap = (own - against) / user_temperature
    return -user_temperature * (torch.logsumexp(gap, dim=0) - math.log(len(gap)))


def check_temperature(value: Any, name: str) -> float:
    """The temperature as a float, when it is finite and above zero."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise ParameterError(f"{name}={value!r}: expected a finite number above 0, such as 0.2.")
    return float(value)
