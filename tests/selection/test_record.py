"""What a selection is: frozen, repeatable, plain JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from selection_problems import CANDIDATES, fresh, planted_model
from simgauge.gauge import canonical_gauge
from simgauge.remedies import CanonicalGauge
from simgauge.selection import fix


@pytest.fixture(scope="module")
def planted():
    return planted_model()


def test_the_same_seed_gives_the_same_selection_and_plain_json(planted):
    model, split = planted
    a, b = (fix(model, split.evidence, fresh(), rng=3).to_dict() for _ in range(2))
    assert json.dumps(a, allow_nan=False) == json.dumps(b, allow_nan=False)
    assert a["schema_version"] == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        fix(model).decision = "improved"


def test_markdown_shows_every_candidate(planted):
    model, split = planted
    text = fix(model, split.evidence, fresh()).to_markdown()
    assert all(candidate.name in text for candidate in CANDIDATES)
    assert text.count("chosen") == 1
    assert fix(model).to_markdown() == fix(model).summary + "\n"


def test_the_transform_is_that_of_the_candidate_and_tells_where_it_comes_from(planted):
    model, split = planted
    found = fix(model, split.evidence, [CanonicalGauge(1.0)])
    moved = found.transform(model)
    np.testing.assert_allclose(moved.items, canonical_gauge(model, 1.0).items)
    assert moved.provenance["selection"]["decision"] == "improved"
    assert moved.provenance["selection"]["evidence"]["measure"] == "recall@10"
    assert found.metric == "cosine"
