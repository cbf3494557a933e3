"""stability: gauges of one model agree whole, strangers do not, and the data are told apart from the seed."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError, ParameterError, gauge_transform, random_gauge, stability
from simgauge.shipping.stable import AS_TRAINED, CANONICAL, USERS_LISTS

N_ITEMS, N_USERS = 300, 200


def ids(letter, n):
    return [f"{letter}{number}" for number in range(n)]


def training(base, rng, noise, gauge=True):
    """The model with noise of a seed of its own, in a gauge of its own."""
    items, users = base
    made = Embedding(
        items + noise * rng.standard_normal(items.shape), users=users + noise * rng.standard_normal(users.shape),
        item_ids=ids("i", N_ITEMS), user_ids=ids("u", N_USERS), item_names=[f"name {row}" for row in range(N_ITEMS)],
    )  # fmt: skip
    return gauge_transform(made, random_gauge(6, 5.0, rng=rng)) if gauge else made


@pytest.fixture
def base(rng):
    scale = np.geomspace(1, 0.3, 6)
    return rng.standard_normal((N_ITEMS, 6)) * scale, rng.standard_normal((N_USERS, 6)) * scale


def test_gauges_of_one_model_differ_as_trained_and_nowhere_else(base, rng):
    found = stability([training(base, rng, 0.0) for _ in range(3)], k=5)
    assert found[AS_TRAINED].same_data.value < 0.9
    assert found[CANONICAL].same_data.value > 0.999
    assert found[USERS_LISTS].same_data.value > 0.999
    assert found.gauge_only.low > 0
    assert "only the gauge" in found.summary
    assert found[CANONICAL].across is None


def test_strangers_share_what_chance_shares(rng):
    """Control."""
    strangers = [
        Embedding(rng.standard_normal((N_ITEMS, 6)), users=rng.standard_normal((N_USERS, 6))) for _ in range(3)
    ]
    found = stability(strangers, k=5)
    assert max(measure.same_data.value for measure in found.measures) < 0.1
    assert found.gauge_only.low <= 0 <= found.gauge_only.high
    assert "cannot be told" in found.summary


def test_shares_are_those_of_a_slow_reference(base, rng):
    models = [training(base, rng, 0.1) for _ in range(3)]
    found = stability(models, k=5)

    def lists(model):
        rows = model.items / np.linalg.norm(model.items, axis=1, keepdims=True)
        cosines = rows @ rows.T
        np.fill_diagonal(cosines, -np.inf)
        return [set(np.argsort(-row)[:5].tolist()) for row in cosines]

    def columns(model):
        return lists(Embedding((model.users @ model.items.T).T))

    def ranked(model):
        return [set(np.argsort(-row)[:5].tolist()) for row in model.users @ model.items.T]

    for name, of in ((AS_TRAINED, lists), (CANONICAL, columns), (USERS_LISTS, ranked)):
        sets = [of(model) for model in models]
        shares = [
            np.mean([len(a & b) / 5 for a, b in zip(sets[one], sets[other], strict=True)])
            for one, other in ((0, 1), (0, 2), (1, 2))
        ]
        assert found[name].same_data.value == pytest.approx(np.mean(shares), abs=2e-3)


def test_a_change_of_the_data_is_told_apart_from_that_of_the_seed(base, rng):
    """Control: trainings that are called later and are not."""
    items, users = base
    moved = items.copy()
    moved[:60] = rng.permutation(items[:60])
    earlier = [training(base, rng, 0.05) for _ in range(3)]
    later = [training((moved, users), rng, 0.05) for _ in range(3)]
    found = stability(earlier, later, k=5)
    assert found[CANONICAL].data_only.low > 0
    assert found[CANONICAL].across.value < found[CANONICAL].same_data.value
    assert "beyond what another seed changes" in found.summary
    named = {int(name.split()[1]) for name, _, _ in found.moved_by_data}
    assert len([row for row in named if row < 60]) >= 9
    alike = stability(earlier, [training(base, rng, 0.05) for _ in range(3)], k=5)
    assert alike[CANONICAL].data_only.low <= 0 <= alike[CANONICAL].data_only.high
    assert "no change by the data can be told" in alike.summary


def test_items_that_seeds_change_are_named(base, rng):
    items, users = base
    models = []
    for _ in range(3):
        spoilt = items.copy()
        spoilt[[7, 70]] = rng.standard_normal((2, 6))
        models.append(training((spoilt, users), rng, 0.02))
    found = stability(models, k=5)
    assert {name for name, _ in found.unstable[:2]} == {"name 7", "name 70"}
    assert found.unstable[0][1] <= found.unstable[-1][1]


def test_models_meet_by_id(base, rng):
    whole = training(base, rng, 0.0)
    order = rng.permutation(N_ITEMS)[:200]
    part = Embedding(whole.items[order], users=whole.users, item_ids=whole.item_ids[order], user_ids=whole.user_ids)
    found = stability([whole, part], k=5)
    assert found.n_shared == 200
    assert found[CANONICAL].same_data.value > 0.999
    with pytest.raises(InputError, match="share 0 items"):
        stability([whole, Embedding(whole.items, users=whole.users, item_ids=ids("x", N_ITEMS))], k=5)


def test_what_cannot_be_told_is_said(base, rng):
    tables = [Embedding(base[0] + 0.1 * rng.standard_normal(base[0].shape)) for _ in range(2)]
    found = stability(tables, k=5)
    assert [measure.name for measure in found.measures] == [AS_TRAINED]
    assert found.gauge is None
    notes = " ".join(found.notes)
    assert "needs users" in notes
    assert "pass three or more" in notes
    assert "really changed" not in found.summary
    three = stability([*tables, tables[0]], k=5)
    assert "pass three or more" not in " ".join(three.notes)
    unnamed = [Embedding(table.items, users=base[1][: 100 + 50 * number]) for number, table in enumerate(tables)]
    assert "pass the ids of the users" in " ".join(stability(unnamed, k=5).notes)
    one_named = [
        Embedding(table.items, users=base[1], user_ids=ids("u", N_USERS) if number else None)
        for number, table in enumerate(tables)
    ]
    assert "pass the ids of the users" in " ".join(stability(one_named, k=5).notes)
    one_named[1] = Embedding(tables[1].items, users=base[1])
    assert stability(one_named, k=5)[USERS_LISTS].same_data.value > 0, "control: as many users, none named"


def test_bad_input(base, rng):
    model = training(base, rng, 0.0)
    with pytest.raises(ParameterError, match="two models or more, received 1"):
        stability([model])
    with pytest.raises(ParameterError, match="one later model"):
        stability([model, model], [model])
    with pytest.raises(InputError, match="expected a list"):
        stability("models")
    with pytest.raises(InputError, match="needs the users of both"):
        stability([model, Embedding(model.items, item_ids=model.item_ids)])


def test_rows_and_json(base, rng):
    found = stability([training(base, rng, 0.1) for _ in range(2)], [training(base, rng, 0.1) for _ in range(2)], k=5)
    assert found.to_arrow().num_rows == 3
    plain = found.to_dict()
    assert (plain["n_models"], plain["n_later"]) == (2, 2)
    assert plain["measures"][1]["across"]["value"] == found[CANONICAL].across.value
    assert repr(found).startswith("Stability(2 trainings and 2 later, 300 items: as trained")
    with pytest.raises(KeyError, match="there are as trained"):
        found["gauge"]
