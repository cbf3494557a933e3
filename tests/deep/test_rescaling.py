"""A changed network: exact where factors are powers of two, its own dtype, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.deep.networks import Towers, Units
from torch.nn import functional

from simgauge.deep import find_free_places, rescaled, rescaled_everywhere, verify_outputs
from simgauge.errors import ParameterError

IDS = torch.arange(5)


def test_powers_of_two_leave_every_bit_of_the_output():
    torch.manual_seed(0)
    network, inputs = Units(functional.relu), torch.randn(4, 4)
    place = find_free_places(network, inputs).places[0]
    changed = rescaled(network, place, np.array([2.0, 0.5, 4.0, 1.0, 8.0]))
    assert torch.equal(network(inputs), changed(inputs))
    assert not torch.equal(network.first(inputs), changed.first(inputs))


def test_rounding_stays_below_the_tolerance_of_the_dtype():
    torch.manual_seed(0)
    for dtype in (torch.float32, torch.float64):
        network = Towers("product").to(dtype)
        found = find_free_places(network, IDS, IDS)
        for place in found.places:
            check = verify_outputs(network, rescaled(network, place, rng=1), IDS, IDS)
            assert 0 < check.difference < check.tolerance


def test_control_a_change_on_one_side_only_moves_outputs():
    torch.manual_seed(0)
    network = Towers("product").double()
    place = next(p for p in find_free_places(network, IDS, IDS).places if p.size == 3)
    half = type(place)(place.kind, place.size, place.carriers[:2])
    check = verify_outputs(network, rescaled(network, half, rng=1), IDS, IDS)
    assert check.difference > 0.1 > check.tolerance


def test_tied_parameters_are_changed_once():
    torch.manual_seed(0)
    network = Units(functional.relu).double()
    network.again = network.first
    place = find_free_places(network, torch.ones(1, 4, dtype=torch.float64)).places[0]
    changed = rescaled(network, place, np.full(5, 2.0))
    assert torch.equal(changed.first.weight, 2 * network.first.weight)
    assert changed.again is changed.first


def test_all_places_at_once_by_seed():
    torch.manual_seed(0)
    network = Towers("product")
    places = find_free_places(network, IDS, IDS).places
    one, same, other = (rescaled_everywhere(network, places, rng=seed) for seed in (1, 1, 2))
    assert torch.equal(one.users.weight, same.users.weight)
    assert not torch.equal(one.users.weight, other.users.weight)
    assert verify_outputs(network, one, IDS, IDS).difference < 1e-12


@pytest.mark.parametrize(
    ("gauge", "match"),
    [(np.ones((2, 2)), "expected"), (np.zeros((3, 3)), "singular"), (np.full((3, 3), np.nan), "NaN")],
)
def test_bad_gauges_of_a_basis(gauge, match):
    network = Towers("product")
    place = next(p for p in find_free_places(network, IDS, IDS).places if p.size == 3)
    with pytest.raises(ParameterError, match=match):
        rescaled(network, place, gauge)


@pytest.mark.parametrize("factors", [np.ones(4), -np.ones(5), np.full(5, np.inf), np.zeros(5)])
def test_bad_factors(factors):
    network = Units(functional.relu)
    place = find_free_places(network, torch.ones(1, 4)).places[0]
    with pytest.raises(ParameterError, match="needs 5 positive, finite factors"):
        rescaled(network, place, factors)
