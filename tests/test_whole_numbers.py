"""NumPy's integers as parameters give what Python's give, JSON included; seeds below 0 are refused in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

import simgauge
from simgauge.errors import ParameterError
from simgauge.evidence import Labels, PairJudgements, hold_out
from simgauge.neighbors import compare_neighbors, standard_gauges
from simgauge.remedies import CSLS, AllButTheTop, Whitening, load_remedy

RNG = np.random.default_rng(0)
MODEL = simgauge.Embedding(
    RNG.standard_normal((60, 8)), RNG.standard_normal((80, 8)), item_ids="positions", user_ids="positions"
)
USED = simgauge.Interactions((RNG.random((80, 60)) < 0.2).astype(float))
LABELS = {item: f"group {item % 3}" for item in range(60)}
LEFT, RIGHT, SIMILAR = np.arange(30), np.arange(30, 60), np.arange(30) % 2


def written(found) -> str:
    return json.dumps(found.to_dict(), allow_nan=False)


CALLS = {
    "audit": lambda w: written(simgauge.audit(MODEL, k=w(5), sample=w(40), rng=w(3))),
    "compare": lambda w: written(simgauge.compare(MODEL, MODEL, k=w(5), sample=w(40), rng=w(3))),
    "align": lambda w: written(simgauge.align(MODEL, MODEL, k=w(5), sample=w(40), rng=w(3))),
    "preview": lambda w: written(simgauge.preview(MODEL, k=w(5), sample=w(40), dims=[w(4)], rng=w(3))),
    "calibrate": lambda w: written(
        simgauge.calibrate(MODEL, LEFT, RIGHT, SIMILAR, folds=w(3), n_resamples=w(50), rng=w(3))
    ),
    "fix": lambda w: written(
        simgauge.fix(MODEL, PairJudgements(LEFT, RIGHT, SIMILAR), folds=w(3), n_resamples=w(100), rng=w(3))
    ),
    "labels": lambda w: repr(Labels(LABELS, k=w(5), max_queries=w(40))),
    "hold_out": lambda w: repr(hold_out(USED, k=w(5), rng=w(3)).evidence),
    "neighbors": lambda w: written(compare_neighbors(standard_gauges(MODEL), [0], k=w(5))),
    "top_k": lambda w: repr(simgauge.top_k(MODEL.items, w(5))),
    "certificate": lambda w: repr(simgauge.neighbor_certificate(MODEL.items, k=w(5))),
    "random gauge": lambda w: repr(simgauge.random_gauge(w(3), 10.0, rng=w(3))),
    "spectrum": lambda w: repr(simgauge.spectrum(USED.matrix, n_components=w(3), rng=w(3))),
    "autoencoder": lambda w: repr(simgauge.LinearAutoencoder(w(3), random_state=w(1)).fit(USED).decoder_.tolist()),
}


@pytest.mark.filterwarnings("ignore::simgauge.matching.AlignmentWarning")
@pytest.mark.parametrize("name", CALLS)
def test_every_integer_of_numpy_is_an_integer(name) -> None:
    expected = CALLS[name](int)
    for kind in (np.int8, np.int32, np.int64, np.uint8, np.uint64):
        assert CALLS[name](kind) == expected, f"{kind}"


@pytest.mark.parametrize("make", [
    lambda w: Whitening(n_components=w(3)), lambda w: AllButTheTop(w(2)), lambda w: CSLS(w(4)),
])  # fmt: skip
def test_remedies_are_saved_alike(make, tmp_path) -> None:
    names = []
    for kind in (int, np.int64, np.uint8):
        make(kind).fit(MODEL).save(tmp_path / "map.safetensors")
        names.append(load_remedy(tmp_path / "map.safetensors").name)
    assert len(set(names)) == 1


SEEDED = {
    "audit": lambda seed: simgauge.audit(MODEL, k=5, rng=seed),
    "compare": lambda seed: simgauge.compare(MODEL, MODEL, k=5, rng=seed),
    "fix": lambda seed: simgauge.fix(MODEL, rng=seed),
    "random gauge": lambda seed: simgauge.random_gauge(3, 10.0, rng=seed),
    "hold_out": lambda seed: hold_out(USED, rng=seed),
    "preview": lambda seed: simgauge.preview(MODEL, rng=seed),
    "align": lambda seed: simgauge.align(MODEL, MODEL, rng=seed),
    "spectrum": lambda seed: simgauge.spectrum(USED.matrix, 3, rng=seed),
}


@pytest.mark.parametrize("name", SEEDED)
def test_what_is_no_seed_is_refused_in_a_sentence(name) -> None:
    for seed in (-1, np.int64(-5), 1.5, "a", True):
        with pytest.raises(ParameterError, match="expected an integer of 0 or more"):
            SEEDED[name](seed)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: simgauge.audit(MODEL, k=5.0), r"k=5\.0: expected an integer"),
        (lambda: simgauge.audit(MODEL, k=5, sample="all"), "sample='all': expected an integer"),
        (lambda: simgauge.compare(MODEL, MODEL, k=5, sample=1), "sample=1: expected an integer of 2 or more"),
        (lambda: simgauge.fix(MODEL, n_resamples=0), "n_resamples=0: expected an integer of 1 or more"),
        (lambda: simgauge.preview(MODEL, sample=0), "sample=0: expected an integer of 1 or more"),
    ],
)
def test_what_is_no_whole_number_is_refused(call, text) -> None:
    with pytest.raises(ParameterError, match=text):
        call()
