"""What a fit on a cluster costs: passes, bytes, memory and time, counted before anything is started."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.lanczos import basis_limit
from simgauge.errors import ParameterError

FIRST_STEPS, STEPS_PER_BLOCK = 8.0, 3.0
"""Steps of the iteration to the default tolerance: 8 + 3 k / b (14, 18, 32 on power-law data, k = 32, 64, 128, b =
16)."""

RESTARTED = 1.12
"""Steps of an iteration whose basis is compressed now and then, per step of one that keeps all (36 and 32 there)."""

MAX_WORKERS = 4096
"""Largest cluster that `plan_fit` looks at."""


@dataclass(frozen=True)
class ClusterRates:
    """Rates of the machines; the defaults are those of common cloud machines with 10 Gbit/s."""

    product: float = 1.5e9
    """Flops a second and core of a sparse product with a block whose items do not fit into the caches."""
    network: float = 1.1e9
    """Bytes a second that a machine sends, and as many that it receives."""
    driver: float = 1e11
    """Flops a second of dense products on all cores of the driver."""
    task: float = 1e-3
    """Seconds of the scheduler a task."""
    memory: float = 5e9
    """Bytes a second of adding two arrays up."""


@dataclass(frozen=True)
class ClusterPlan:
    """Counts of `plan_fit`; bytes are of the whole cluster where they do not say otherwise."""

    n_workers: int
    """Machines that do the passes; the driver is one more."""
    threads: int
    """Cores, and parts of the matrix, per machine."""
    steps: int
    """Products with a block of vectors."""
    passes: int
    """Over the data: counts of rows, magnitudes, the steps, the vectors of the users."""
    data_bytes: float
    """CSR parts: value and column of every pair, a pointer for every user."""
    broadcast_bytes: float
    """The block of n_items x BLOCK, once to every machine, in each step."""
    reduced_bytes: float
    """Partial sums that leave their machine, in each step, with parts that lie at random."""
    moved_bytes: float
    """Both, over all steps."""
    worker_bytes: float
    """Memory of one machine: its data, the block, three sums a core."""
    driver_bytes: float
    """Memory of the driver: two bases, four blocks, right vectors, A and B."""
    compute_seconds: float
    """Products and tasks of one step."""
    network_seconds: float
    """Sending the block and adding up the sums, of one step."""
    driver_seconds: float
    """Orthogonalisation of one step."""

    @property
    def step_seconds(self) -> float:
        """One step."""
        return self.compute_seconds + self.network_seconds + self.driver_seconds

    @property
    def seconds(self) -> float:
        """All steps; reading and shuffling the events, which depends on the store, comes before."""
        return self.steps * self.step_seconds


def plan_fit(
    n_users: float,
    n_items: float,
    n_components: int,
    *,
    pairs_per_user: float = 100.0,
    n_workers: int | None = None,
    threads: int = 16,
    itemsize: int = 4,
    hours: float | None = None,
    worker_memory: float | None = None,
    basis_bytes: float | None = None,
    rates: ClusterRates | None = None,
) -> ClusterPlan:
    """Passes, traffic, memory and time of an iterative fit on a cluster.

    Parameters
    ----------
    n_users, n_items, n_components : int
        Shape of the matrix and rank of the fit.
    pairs_per_user : float
        Stored pairs of a user, on average.
    n_workers : int, optional
        Machines. When not given: the fewest, doubling from 1, that hold the data and keep to `hours`.
    threads : int
        Cores of a machine, each with one part.
    itemsize : {4, 8}
        Of the weights: float32 or float64.
    hours : float, optional
        Time allowed for the steps. Without it the memory alone decides.
    worker_memory : float, optional
        Bytes of one machine; 4 GiB a core when not given.
    basis_bytes : float, optional
        Memory for the bases on the driver. Default: `lanczos.BASIS_BYTES`, but at least n_components + 4 BLOCK columns,
        which is what `spectrum` does.
    rates : ClusterRates, optional
        What the machines can do; measure them with ``bench/cluster.py``.

    Raises
    ------
    ParameterError
        A number that is not positive, or no cluster of up to 4096 machines that is large and fast enough.

    Numerics
    --------
    With p items, blocks of b columns (`BLOCK`), w bytes a number, W machines of T cores, z pairs and m columns of the
    basis: t = 8 + 3 k / b steps, 1.12 times that when t b columns are more than the basis may have. A step costs 4 z b
    flops / (W T), b p w (1 + log2 W) bytes for the block and b p w (T + log2 W) for the sums through the busiest
    machine, and 16 p b m flops on the driver (half of them orthogonalisation; copies, Ritz values and residuals took as
    long again). How many steps there are depends on the data: flat spectra need more.

    Examples
    --------
    >>> plan = plan_fit(1e6, 1e5, 64, n_workers=4)
    >>> plan.steps, plan.passes, round(plan.data_bytes / 2**30, 2)
    (20, 23, 0.75)
    """
    positive = {"n_users": n_users, "n_items": n_items, "n_components": n_components, "pairs_per_user": pairs_per_user}
    positive |= {"threads": threads, "hours": 1 if hours is None else hours, "n_workers": n_workers or 1}
    for name, value in positive.items():
        if not value > 0:
            raise ParameterError(f"{name}={value}: expected a number above 0.")
    if itemsize not in (4, 8):
        raise ParameterError(f"itemsize={itemsize}: expected 4 (float32) or 8 (float64).")
    columns = basis_limit(int(n_items), n_components, itemsize, None if basis_bytes is None else int(basis_bytes))
    fit = _counted(n_users, n_items, n_components, n_users * pairs_per_user, itemsize, columns)
    machine = rates or ClusterRates()
    if n_workers is not None:
        return _on(n_workers, threads, fit, machine)
    room = worker_memory or threads * 4.0 * 2**30
    workers = 1
    while workers <= MAX_WORKERS:
        plan = _on(workers, threads, fit, machine)
        if plan.worker_bytes <= room and (hours is None or plan.seconds <= 3600 * hours):
            return plan
        workers *= 2
    raise ParameterError(
        f"no cluster of up to {MAX_WORKERS} machines does: with that many a machine needs "
        f"{plan.worker_bytes / 2**30:.1f} "
        f"GiB (there are {room / 2**30:.1f}) and the fit {plan.seconds / 3600:.2f} hours. Allow more time, larger "
        f"machines "
        "or fewer threads each."
    )


class _Fit(NamedTuple):
    """What does not depend on the machines."""

    n_items: float
    pairs: float
    columns: int
    """Of the basis, at most."""
    steps: int
    block_bytes: float
    """A block of vectors."""
    data_bytes: float
    driver_bytes: float


def _counted(n_users: float, n_items: float, rank: int, pairs: float, itemsize: int, columns: int) -> _Fit:
    free = FIRST_STEPS + STEPS_PER_BLOCK * rank / BLOCK
    return _Fit(
        n_items=n_items,
        pairs=pairs,
        columns=columns,
        steps=round(free if free * BLOCK <= columns else RESTARTED * free),
        block_bytes=n_items * BLOCK * itemsize,
        data_bytes=pairs * (itemsize + 4) + 4 * n_users,
        driver_bytes=(2 * columns + 4 * BLOCK + 3 * rank) * n_items * itemsize,
    )


def _on(workers: int, threads: int, fit: _Fit, rates: ClusterRates) -> ClusterPlan:
    block, parts = fit.block_bytes, workers * threads
    levels = math.ceil(math.log2(workers)) if workers > 1 else 0
    # a pair of sums meets on one machine with probability (T - 1) / (parts - 1) when parts lie at random: of parts - 1
    # additions, parts - T cross; and the total goes to the driver
    reduced = (parts - threads + 1) * block
    sends = 1 + levels
    adds = threads + levels if workers > 1 else 1
    adding = (1 + math.log2(parts)) * 3 * block / rates.memory
    products = 4 * fit.pairs * BLOCK / (parts * rates.product)
    used = fit.steps * BLOCK / 2 if fit.steps * BLOCK <= fit.columns else fit.columns * 0.85
    return ClusterPlan(
        n_workers=workers,
        threads=threads,
        steps=fit.steps,
        passes=fit.steps + 3,
        data_bytes=fit.data_bytes,
        broadcast_bytes=block * workers,
        reduced_bytes=reduced,
        moved_bytes=fit.steps * (block * workers + reduced),
        worker_bytes=fit.data_bytes / workers + block + 3 * threads * block,
        driver_bytes=fit.driver_bytes,
        compute_seconds=products + adding + 2 * parts * rates.task,
        network_seconds=(sends + adds) * block / rates.network,
        driver_seconds=16 * fit.n_items * BLOCK * used / rates.driver,
    )
