"""How often the 95 % intervals of a sampled audit hold the value of the full audit.

    OMP_NUM_THREADS=1 python bench/coverage.py [--repeats 200]

Three tables: the demo's model, independent normal vectors, and clusters with copies. Every repeat draws other rows;
lists of all rows are made once. Of 200 repeats at 95 %, 19 of 20 times between 184 and 196 intervals hold the value.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict

import numpy as np

from simgauge import Embedding, LinearAutoencoder, load_demo_data
from simgauge.auditing import workspace as shared
from simgauge.auditing.checks import ALL, bounds, gauge
from simgauge.auditing.run import _workspace
from simgauge.auditing.training import known_training
from simgauge.auditing.workspace import Workspace

SAMPLE, K = 300, 10

SKIPPED = {"folded_bias", "balance", "identifiability", "exact_copies", "several_sources", "certified_in_named_gauges"}
"""Not from a sample of rows, or judged on other numbers than their interval."""


def tables() -> dict[str, Embedding]:
    rng = np.random.default_rng(0)
    data = load_demo_data()
    demo = LinearAutoencoder(32, random_state=0).fit(data).embedding(data)
    normal = Embedding(rng.standard_normal((1500, 12)), rng.standard_normal((1200, 12)))
    centres = rng.standard_normal((60, 24))
    clusters = np.repeat(centres, 25, axis=0) + 0.4 * rng.standard_normal((1500, 24))
    clusters[:90] = clusters[90:180] + 0.01 * rng.standard_normal((90, 24))
    mixed = Embedding(clusters * rng.lognormal(sigma=0.6, size=(1500, 1)), rng.standard_normal((1200, 24)) + 0.3)
    return {
        "demo": demo.with_tables(np.asarray(demo.items, float), np.asarray(demo.users, float)),
        "normal": normal,
        "clusters": mixed,
    }


def workspace(embedding: Embedding, sample: int, seed: int) -> Workspace:
    popularity = np.random.default_rng(1).integers(1, 1000, embedding.n_items)
    training = known_training({}, "none", None, None)
    return _workspace(embedding, training, None, popularity, K, sample, seed, None)


def values(space: Workspace) -> dict[str, tuple[float, tuple[float, float] | None]]:
    found = (check(space) for check in ALL if check.__name__ not in SKIPPED)
    return {f.id: (f.value, f.interval) for f in found if f is not None and f.value is not None}


def true_values(everything: Workspace) -> dict[str, tuple[float, tuple[float, float] | None]]:
    """Of all rows and all users, and of many random gauges, where an audit looks at some even of a small table."""
    asked = (shared.PROBE_ROWS, shared.GAUGE_ROWS, gauge.DRAWS, bounds.PAIRS)
    shared.PROBE_ROWS = shared.GAUGE_ROWS = 10**9
    gauge.DRAWS, bounds.PAIRS = 20, 100_000
    try:
        return values(everything)
    finally:
        shared.PROBE_ROWS, shared.GAUGE_ROWS, gauge.DRAWS, bounds.PAIRS = asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    for name, embedding in tables().items():
        everything = workspace(embedding, embedding.n_items, 0)
        truth = true_values(everything)
        held: dict[str, list[bool]] = defaultdict(list)
        width: dict[str, list[float]] = defaultdict(list)
        for seed in range(repeats):
            space = workspace(embedding, SAMPLE, seed)
            place = np.searchsorted(everything.rows, space.rows)
            space.__dict__["shipped"] = tuple(part[place] for part in everything.shipped)
            for finding, (_, interval) in values(space).items():
                if interval is not None and finding in truth:
                    slack = 1e-9 * max(abs(truth[finding][0]), 1.0)
                    held[finding].append(interval[0] - slack <= truth[finding][0] <= interval[1] + slack)
                    width[finding].append(interval[1] - interval[0])
        print(f"\n{name}: {embedding}, {SAMPLE} rows sampled, {repeats} repeats")
        for finding, hits in held.items():
            print(
                f"  {finding:24} {np.mean(hits):6.1%} of {len(hits)}, width {np.median(width[finding]):.3g}, value "
                f"{truth[finding][0]:.3g}"
            )


if __name__ == "__main__":
    main()
