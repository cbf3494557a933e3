"""Float32 products of tensors as IEEE defines them, whatever shortcuts the session has switched on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from simgauge.core.tables.arrays import is_tensor, namespace, on_host
from simgauge.core.tables.kinds import Array

IEEE = ("ieee", "none")
"""Values of torch's `fp32_precision` under which a float32 product rounds as float32 ("none": the default, which is
it)."""


@contextmanager
def ieee_products(array: Array) -> Iterator[None]:
    """Within it: no TF32, no bfloat16, no autocast, no gradients; as before afterwards. Nothing happens for NumPy.

    TF32 keeps 10 bits of a float32 number. Error bounds of float32 sums don't hold for it, and both the exact lists and
    the iteration for the spectrum rely on them. The settings are those of the process: other threads of it see them.

    Examples
    --------
    >>> import numpy as np
    >>> with ieee_products(np.ones(1)):
    ...     pass
    """
    if not is_tensor(array):
        yield
        return
    import torch  # loaded already: there is a tensor

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast(array.device.type, enabled=False))
        stack.enter_context(_float32_as_it_is(torch))
        yield


@contextmanager
def _float32_as_it_is(torch: Any) -> Iterator[None]:
    places = [torch.backends.cuda.matmul, torch.backends.mkldnn.matmul]
    if not all(hasattr(place, "fp32_precision") for place in places):  # torch before 2.9: one setting for all devices
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
        return
    changed = [(place, place.fp32_precision) for place in places if place.fp32_precision not in IEEE]
    for place, _ in changed:
        place.fp32_precision = "ieee"
    try:
        yield
    finally:
        for place, before in changed:
            place.fp32_precision = before


def row_sums(products: Array) -> Array:
    """Sums over the last axis of a tensor, in an order that depends on its length alone.

    A device may add up a row in another order when it starts at another address, and equal rows would then differ in
    the last bit. Halves are added entry by entry instead, which also rounds least.

    Examples
    --------
    >>> import numpy as np
    >>> row_sums(np.arange(10.0).reshape(2, 5))
    array([10., 35.])
    """
    width = products.shape[-1]
    while width > 1:
        half = (width + 1) // 2
        folded = products[..., :half]
        if width % 2:
            xp = namespace(products)
            folded = xp.concat(
                [folded[..., : half - 1] + products[..., half:width], folded[..., half - 1 : half]], axis=-1
            )
        else:
            folded = folded + products[..., half:width]
        products, width = folded, half
    return products[..., 0]


def row_lengths(rows: Array) -> Array:
    """Norms along the last axis, next to the rows; equal rows give equal norms."""
    if on_host(rows):
        return np.linalg.norm(rows, axis=-1)
    return namespace(rows).sqrt(row_sums(rows * rows))
