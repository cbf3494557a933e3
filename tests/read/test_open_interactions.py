"""From Python as from the command line: interactions go to disk by themselves where memory would not hold them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge.errors import ParameterError
from simgauge.interactions import Interactions
from simgauge.read.events import memory
from simgauge.read.events.options import ReadingOptions
from simgauge.read.open_interactions import OnDiskWarning, open_interactions
from simgauge.read.spill import store_interactions
from simgauge.read.store.stored_interactions import StoredInteractions


@pytest.fixture
def parquet(tmp_path, rng):
    table = pa.table({"user_id": rng.integers(0, 90, 3000), "item_id": rng.integers(0, 40, 3000)})
    pq.write_table(table, tmp_path / "events.parquet")
    return tmp_path / "events.parquet"


def kinds(source, **options):
    with open_interactions(source, **options) as data:
        return type(data), data.nnz


def test_what_fits_is_read_and_what_does_not_goes_to_disk_with_a_warning(parquet, tmp_path, monkeypatch):
    kind, pairs = kinds(parquet)
    assert kind is Interactions
    monkeypatch.setattr(memory, "available_memory", lambda: 72 * 3000 * 2 - 1)
    with pytest.warns(OnDiskWarning, match="sorting on disk"):
        assert kinds(parquet, beside=tmp_path / "model") == (StoredInteractions, pairs)
    monkeypatch.setattr(memory, "available_memory", lambda: 72 * 3000 * 2)
    assert kinds(parquet) == (Interactions, pairs)
    monkeypatch.setattr(memory, "available_memory", lambda: 1)
    assert kinds(parquet, on_disk=False) == (Interactions, pairs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.parquet"], "nothing is left behind"


def test_the_disk_can_be_asked_for_and_stores_are_opened(parquet, tmp_path):
    assert kinds(parquet, on_disk=True, beside=tmp_path / "m")[0] is StoredInteractions
    assert kinds(parquet, memory="300MiB", beside=tmp_path / "m")[0] is StoredInteractions
    store_interactions(parquet, tmp_path / "store")
    assert kinds(tmp_path / "store")[0] is StoredInteractions
    with pytest.raises(ParameterError, match="min_user_count cannot be changed any more"):
        kinds(tmp_path / "store", min_user_count=2)
    with pytest.raises(ParameterError, match="store on disk, and --penalty dropout"):
        kinds(tmp_path / "store", on_disk=False)
    with pytest.raises(ParameterError, match="with memory given"):
        kinds(parquet, memory="1GiB", on_disk=False)


def test_options_come_as_a_record_or_by_name(parquet):
    record = ReadingOptions(min_user_count=30, duplicates="last")
    assert kinds(parquet, options=record) == kinds(parquet, min_user_count=30, duplicates="last")
    with pytest.raises(ParameterError, match="Did you mean 'min_user_count'"):
        kinds(parquet, min_user_counts=3)
