"""Outliers and islands that were planted are found; without planting, none are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geometry_problems import nearest
from simgauge.core.geometry.outliers import islands, outliers
from simgauge.errors import ParameterError


def clusters(rng, sizes, k=12, noise=0.05):
    centres = np.linalg.qr(rng.standard_normal((k, k)))[0]
    return np.vstack([centres[i] + noise * rng.standard_normal((size, k)) for i, size in enumerate(sizes)])


def components_by_search(lists):
    n = len(lists)
    listed = [set(row) for row in lists.tolist()]
    linked = [{j for j in range(n) if j in listed[i] or i in listed[j]} for i in range(n)]
    left, sizes = set(range(n)), []
    while left:
        component, frontier = set(), {min(left)}
        while frontier:
            component |= frontier
            frontier = set().union(*(linked[i] for i in frontier)) - component
        sizes.append(len(component))
        left -= component
    return sorted(sizes, reverse=True)


def test_components_are_those_of_a_search(rng):
    lists = nearest(rng.standard_normal((60, 3)), 2)[0]
    found = islands(lists, 60)
    assert found.sizes.tolist() == components_by_search(lists)
    assert np.bincount(found.labels).tolist() == found.sizes.tolist()


def test_a_planted_island_is_found(rng):
    x = clusters(rng, [120, 6])
    found = islands(nearest(x, 5)[0], 126)
    assert found.sizes.tolist() == [120, 6]
    assert found.island_share == 6 / 126
    assert set(np.flatnonzero(found.labels == 1)) == set(range(120, 126))
    joined = islands(nearest(x, 8)[0], 126)  # control: six rows cannot fill lists of eight
    assert joined.island_share == 0
    assert joined.largest_share == 1


def test_large_groups_are_topics_and_the_largest_is_never_an_island(rng):
    lists = nearest(clusters(rng, [60, 60]), 5)[0]
    assert islands(lists, 120).sizes.tolist() == [60, 60]
    assert islands(lists, 120).island_share == 0
    assert islands([[1], [0]], 2).island_share == 0


@pytest.mark.parametrize(
    ("size", "n_rows", "island"), [(3, 100, True), (4, 100, False), (5, 1200, True), (6, 1200, False)]
)
def test_an_island_is_smaller_than_k_plus_two_or_half_a_percent(size, n_rows, island):
    """With lists of two, three rows in a ring are an island and four are not; of 1,200 rows six are a topic."""
    mainland = np.arange(n_rows - size)
    rings = [(np.roll(part, 1), np.roll(part, -1)) for part in (mainland, np.arange(n_rows - size, n_rows))]
    found = islands(np.hstack(rings).T, n_rows)
    assert found.sizes.tolist() == [n_rows - size, size]
    assert found.island_share == (size / n_rows if island else 0)


def test_components_of_a_sample_are_refused():
    with pytest.raises(ParameterError, match="2 lists for 5 rows"):
        islands([[1], [0]], 5)


def test_planted_outliers_are_found(rng):
    x = np.vstack([clusters(rng, [200]), np.eye(12)[3:6] - 0.5])
    found = outliers(nearest(x, 5)[1])
    assert set(found.positions[:3]) == {200, 201, 202}
    assert (found.z[200:] > 3 * found.z[:200].max()).all()
    assert found.share == len(found.positions) / 203
    assert outliers(nearest(x[:200], 5)[1]).share < 0.03  # control


def test_z_is_the_modified_z_score(rng):
    scores = rng.normal(0.6, 0.05, (501, 4))
    closeness = scores.mean(axis=1)
    found = outliers(scores)
    reference = 0.6745 * (np.median(closeness) - closeness) / stats.median_abs_deviation(closeness)
    np.testing.assert_allclose(found.z, reference, rtol=1e-4)
    np.testing.assert_array_equal(found.z > 3.5, closeness < found.cutoff_similarity)


def test_normal_values_are_flagged_as_rarely_as_documented(rng):
    found = outliers(rng.normal(size=(400_000, 1)))
    assert found.share == pytest.approx(1 / 4300, rel=0.3)


def test_equal_scores():
    assert outliers(np.full((10, 2), 0.5)).share == 0
    assert outliers(np.array([[0.5]] * 9 + [[0.4]])).positions.tolist() == [9]


def test_the_farthest_comes_first(rng):
    scores = np.r_[rng.normal(0.6, 0.01, 100), 0.3, 0.1, 0.2][:, None]
    assert outliers(scores).positions.tolist()[:3] == [101, 102, 100]


def test_bad_parameters():
    with pytest.raises(ParameterError, match=r"cutoff=0"):
        outliers(np.ones((3, 1)), cutoff=0)
