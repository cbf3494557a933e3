"""Findings per group: what was planted in one group is found there and nowhere else."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import numpy as np
import pytest

from simgauge import Embedding, InputError, audit
from simgauge.auditing.groups import MOST_GROUPS, OTHERS, UNLABELLED, groups_of, popularity_bands


@pytest.fixture
def planted(rng):
    """300 items of three groups: copies in the second, zero vectors in the third."""
    items = rng.standard_normal((300, 10))
    items[100:150] = items[150:200] + 1e-4 * rng.standard_normal((50, 10))
    items[200:220] = 0
    labels = np.repeat(["plain", "copies", "holes"], 100)
    return Embedding(items, item_ids=[f"i{row}" for row in range(300)]), labels


def test_each_fault_is_in_its_group(planted):
    embedding, labels = planted
    groups = {group.name: group for group in audit(embedding, by=labels, k=5).groups}
    assert [groups[name].n_items for name in ("plain", "copies", "holes")] == [100, 100, 100]
    assert groups["copies"]["near_duplicates"].value == 1.0
    assert groups["copies"]["near_duplicates"].verdict == "fail"
    assert groups["plain"]["near_duplicates"].value < 0.02
    assert groups["holes"]["zero_rows"].value == 0.2
    assert groups["plain"]["zero_rows"].verdict == "ok"
    assert groups["holes"].n_rows == 80
    assert {group.grouping for group in groups.values()} == {"by"}


def test_the_groups_make_up_the_whole(planted):
    embedding, labels = planted
    result = audit(embedding, by=labels, k=5)
    sizes = np.array([group.n_rows for group in result.groups])
    for name in ("near_duplicates", "outliers"):
        shares = np.array([group[name].value for group in result.groups])
        whole = result[name].value if name == "outliers" else np.mean(shares @ sizes / sizes.sum())
        assert shares @ sizes / sizes.sum() == pytest.approx(whole)
    places = np.array([group["places"].value for group in result.groups])
    assert places.mean() == pytest.approx(1.0)  # groups of one size share out all places


def test_neighbours_of_the_same_group(rng):
    centres = np.repeat(10 * np.eye(4), 50, axis=0)
    clustered = Embedding(centres + 0.1 * rng.standard_normal((200, 4)))
    inside = audit(clustered, by=np.repeat(list("abcd"), 50), k=5).groups
    assert all(group["same_group"].value == 1.0 for group in inside)
    anywhere = audit(clustered, by=rng.permutation(np.repeat(list("abcd"), 50)), k=5).groups
    assert all(0.1 < group["same_group"].value < 0.4 for group in anywhere)


def test_a_sample_has_intervals_that_hold_the_full_value(rng):
    items = rng.standard_normal((900, 6))
    items[:150] = items[150:300]
    labels = np.where(np.arange(900) < 300, "copies", "rest")
    full, sampled = (audit(Embedding(items), by=labels, k=5, sample=size).groups for size in (900, 200))
    for whole, part in zip(full, sampled, strict=True):
        assert part.name == whole.name
        assert "antihubs" not in {measure.id for measure in part.measures}  # not known from a sample
        for name in ("near_duplicates", "same_group", "places"):
            low, high = part[name].interval
            assert low - 0.1 <= whole[name].value <= high + 0.1
            assert low < high
            assert whole[name].interval is None


def test_bands_of_popularity_come_with_popularity(planted, rng):
    embedding, _ = planted
    counts = np.sort(rng.zipf(1.5, 300).clip(max=1000))[::-1].astype(float)
    groups = audit(embedding, popularity=counts, k=5).groups
    assert [(group.grouping, group.name) for group in groups] == [
        ("popularity", name) for name in ("head", "middle", "tail")
    ]
    assert sum(group.n_items for group in groups) == 300
    bands = popularity_bands(counts)
    assert counts[bands["head"]].min() >= counts[bands["middle"]].max()
    assert counts[bands["head"]].sum() >= counts.sum() / 3 - counts.max()
    assert popularity_bands(np.zeros(4)) == {}
    assert list(popularity_bands(np.ones(1))) == ["head"]


def test_labels_as_mappings_meet_ids_by_the_one_rule():
    embedding = Embedding(np.eye(4), item_ids=[7, 8, 9, 10])
    for by in ({7: "a", 9: {"a", "b"}}, {"7": "a", "9": ["b", "a"]}):
        found = groups_of(embedding, by)
        assert {name: rows.tolist() for name, rows in found.items()} == {"a": [0, 2], "b": [2], UNLABELLED: [1, 3]}
    with pytest.raises(InputError, match="none of the 1 ids"):
        groups_of(embedding, {"x": "a"})
    with pytest.raises(InputError, match="one label for each of 4 items"):
        groups_of(embedding, ["a", "b"])
    many = Embedding(np.eye(90))
    found = groups_of(many, [str(row) for row in range(90)])
    assert len(found) == MOST_GROUPS + 1
    assert len(found[OTHERS]) == 90 - MOST_GROUPS
    missing = groups_of(embedding, ["a", None, np.nan, "a"])
    assert missing[UNLABELLED].tolist() == [1, 2]


def test_groups_are_in_every_form_of_the_result(planted):
    embedding, labels = planted
    result = audit(embedding, by=labels, popularity=np.arange(300), k=5)
    schema = json.loads(resources.files("simgauge").joinpath("schemas/audit.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(result.to_json()), schema)
    assert "[by] copies (100 items): near_duplicates 1" in result.to_text()
    plain = audit(embedding, popularity=np.arange(300), k=5)
    assert [f.to_dict() for f in plain.findings] == [f.to_dict() for f in result.findings]  # groups change no finding
