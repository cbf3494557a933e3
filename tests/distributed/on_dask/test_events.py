"""Events on Dask workers become the interactions that one machine reads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simgauge.distributed import as_parts, from_dask
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.models import LinearAutoencoder
from simgauge.read.interactions import read_interactions

dask = pytest.importorskip("dask", reason="pip install 'simgauge[dask]'")
dd = pytest.importorskip("dask.dataframe", reason="pip install 'simgauge[dask]'")


def frame_of(events, n_partitions=4):
    return dd.from_pandas(events, npartitions=n_partitions, sort=False)


def pieces(*frames):
    """A frame with one partition each, without a look at their schemas."""
    meta = frames[0].iloc[:0]
    return dd.from_delayed([dask.delayed(frame) for frame in frames], meta=meta, verify_meta=False)


def assert_same(seen, local):
    ids = seen.gather_user_ids()
    order = np.argsort(ids)
    assert ids[order].tolist() == local.user_ids.tolist()
    assert len(set(ids.tolist())) == len(ids) == seen.n_users  # whole users: one row each
    assert seen.item_ids.tolist() == local.item_ids.tolist()
    assert abs(seen.matrix.gather()[order] - local.matrix).max() < 1e-12
    assert seen.nnz == local.nnz


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(("n_partitions", "n_parts"), [(1, None), (4, 3), (7, 20)])
def test_the_same_interactions_for_any_partitioning(events, text, n_partitions, n_parts):
    if text:
        events = events.assign(user_id="u" + events.user_id.astype(str), item_id="é" + events.item_id.astype(str))
    columns = {"user": "user_id", "item": "item_id", "weight": "plays"}
    local = read_interactions(events, **columns)
    seen = from_dask(frame_of(events, n_partitions), **columns, n_parts=n_parts)
    assert_same(seen, local)
    assert seen.report["duplicates"] == {"rule": "sum", "events_merged": seen.report["duplicates"]["events_merged"]}
    assert seen.report["rows_of_weight_zero_dropped"] == int((events.plays == 0).sum())
    plain = from_dask(frame_of(events, n_partitions))  # usual names, every event counts 1
    assert plain.matrix.sum(lambda part, _: part.sum()) == len(events)


def test_events_to_a_model_on_a_cluster(client, events):
    local = read_interactions(events, user="user_id", item="item_id", weight="plays")
    seen = from_dask(frame_of(events), weight="plays", n_parts=5)
    assert_same(seen, local)
    model, one = LinearAutoencoder(6).fit(seen), LinearAutoencoder(6).fit(local.matrix)
    np.testing.assert_allclose(model.decoder_, one.decoder_, atol=1e-9)
    order = np.argsort(seen.gather_user_ids())
    np.testing.assert_allclose(model.transform(seen).gather()[order], one.transform(local.matrix), atol=1e-9)
    assert as_parts(seen) is seen.matrix
    assert repr(seen) == "PartitionedInteractions(300 users, 80 items, float64)"


def test_events_survive_the_loss_of_every_worker(client, events):
    import os
    import signal
    import time

    seen = from_dask(frame_of(events), weight="plays", dtype="float32")
    before, ids = seen.matrix.gather(), seen.gather_user_ids()
    for pid in client.run(os.getpid).values():
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert (seen.matrix.gather() != before).nnz == 0
    assert seen.gather_user_ids().tolist() == ids.tolist()
    assert before.dtype == np.float32


def test_missing_ids_are_left_out_and_counted(events):
    holes = events.astype({"user_id": "float64", "item_id": "Int64"})
    holes.loc[[0, 5, 4000], "user_id"] = np.nan
    holes.loc[[5, 17], "item_id"] = pd.NA
    with pytest.warns(DroppedDataWarning, match=r"3 \(missing user id\), 1 \(missing item id\)"):
        seen = from_dask(frame_of(holes), weight="plays")
    assert seen.report["rows_dropped"] == {"missing user id": 3, "missing item id": 1, "unknown item": 0}
    complete = events.drop(index=[0, 5, 17, 4000])
    assert_same(seen, read_interactions(complete, user="user_id", item="item_id", weight="plays"))


def test_given_items_become_the_columns(events):
    ids = [*range(79, -1, -1), 1000]
    seen = from_dask(frame_of(events), item_ids=ids)
    assert seen.item_ids.tolist() == ids
    aligned = read_interactions(events, user="user_id", item="item_id").align(ids)
    assert_same(seen, aligned)
    with pytest.raises(InputError, match=r"78 items are not among the 2 item_ids .*unknown_items='drop'"):
        from_dask(frame_of(events), item_ids=[3, 4])
    with pytest.warns(DroppedDataWarning, match="unknown item"):
        few = from_dask(frame_of(events), item_ids=[3, 4], unknown_items="drop")
    assert few.matrix.sum(lambda part, _: part.sum()) == events.item_id.isin([3, 4]).sum()
    with pytest.raises(InputError, match="integers there and text in item_ids"):
        from_dask(frame_of(events), item_ids=["3"])


def test_partitions_without_rows_and_dictionaries_are_fine(events):
    empty, whole = events.iloc[:0], events
    typed = events.astype({"item_id": str}).astype({"item_id": "category"})
    local = read_interactions(whole, user="user_id", item="item_id")
    assert_same(from_dask(pieces(empty, whole[:3000], empty, whole[3000:])), local)
    text = read_interactions(events.astype({"item_id": str}), user="user_id", item="item_id")
    assert_same(from_dask(frame_of(typed)), text)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            pd.DataFrame({"user_id": ["a"], "item_id": [1], "plays": [1.0]}),
            "integer in partition 0, text in partition 1",
        ),
        (pd.DataFrame({"user_id": [1], "plays": [1.0]}), "partition 1 .*item_id"),
        (pd.DataFrame({"user_id": [1], "item_id": [1], "plays": ["x"]}), "partition 1: weights must be numbers"),
        (pd.DataFrame({"user_id": [1.5], "item_id": [1], "plays": [1.0]}), "partition 1: user ids .*no exact integer"),
        (pd.DataFrame({"user_id": [[1]], "item_id": [1], "plays": [1.0]}), "partition 1: user ids must be integers"),
        (pd.DataFrame({"user_id": [1, "a"], "item_id": [1, 2], "plays": [1.0, 1.0]}), "partition 1 has values of sev"),
        (pd.DataFrame({"user_id": [1], "item_id": [1], "plays": [np.nan]}), "1 weights .*partition 1, row 0: user 1"),
        (pd.DataFrame({"user_id": [1], "item_id": [1], "plays": [-1.0]}), "1 weights are missing, NaN.* weight -1.0"),
        (pd.DataFrame({"user_id": [1], "item_id": [1], "plays": [np.inf]}), "weight inf"),
        (pd.DataFrame({"user_id": np.array([2**63], "u8"), "item_id": [1], "plays": [1.0]}), "do not fit into 64 bits"),
    ],
)
def test_bad_partitions_are_named(events, second, message):
    with pytest.raises(InputError, match=message):
        from_dask(pieces(events, second), weight="plays")


def test_a_partition_that_cannot_be_read_is_named(events):
    def fails():
        raise OSError("gone")

    parts = [dask.delayed(events), dask.delayed(fails)()]
    with pytest.raises(InputError, match=r"partition 1 cannot be read: .*gone"):
        from_dask(dd.from_delayed(parts, meta=events.iloc[:0], verify_meta=False))


def test_bad_calls(events):
    with pytest.raises(InputError, match="holds no rows"):
        from_dask(pieces(events.iloc[:0]))
    with pytest.raises(InputError, match="none of the 2 rows"):
        from_dask(pieces(pd.DataFrame({"user_id": [None, None], "item_id": [1, 2]})))
    with pytest.raises(InputError, match=r"no column 'useer' for user\. Did you mean 'user_id'"):
        from_dask(frame_of(events), user="useer")
    with pytest.raises(InputError, match="one column was given for two roles"):
        from_dask(frame_of(events), user="item_id")
    with pytest.raises(InputError, match="expected a Dask DataFrame of events, received DataFrame"):
        from_dask(events)
    with pytest.raises(InputError, match=r"rename\(columns=str\)"):
        from_dask(frame_of(pd.DataFrame({0: [1], 1: [2]})))
    with pytest.raises(ParameterError, match="unknown_items='keep'"):
        from_dask(frame_of(events), unknown_items="keep")
    with pytest.raises(ParameterError, match="needs item_ids"):
        from_dask(frame_of(events), unknown_items="drop")
    with pytest.raises(ParameterError, match="float32 or float64"):
        from_dask(frame_of(events), dtype="int32")
    with pytest.raises(ParameterError, match="n_parts=0"):
        from_dask(frame_of(events), n_parts=0)
    with pytest.raises(InputError, match="from_dask"):
        LinearAutoencoder(2).fit(frame_of(events.astype({"user_id": str})))
    table = frame_of(pd.DataFrame(np.eye(4)))
    assert LinearAutoencoder(2).fit(table).n_features_in_ == 4
