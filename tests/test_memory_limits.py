"""The formulas of docs/memory.md, in child processes that may not take more: what is promised fits, its control does
not.

The limit is on private memory (RLIMIT_DATA), beyond what the libraries take when they are loaded: memory maps of files
do not count, since the system takes them back when it needs to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from simgauge.core.spectral.lanczos import BLOCK, basis_limit
from simgauge.core.spectral.spectrum import spectrum
from simgauge.read.events.memory import BYTES_PER_EVENT, in_memory_need
from simgauge.read.store.stored_interactions import write_metadata
from simgauge.read.store.stored_pairs import ITEMS_FILE, PairsWriter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA covers private memory on Linux only")

N_ITEMS, N_COMPONENTS, REPEATS = 2_000, 8, 16
SLACK = 48 << 20
"""Stacks of threads, the allocator's reserves, conversions of a row block."""

AUDIT_BYTES_PER_ROW = 75
"""Ids, norms, hashes and their order."""

SAMPLED_PAIRS = 3 * 4_096
"""Rows of pairs compared at a time, and their copies."""

LIBRARIES_OF_AUDITS = 40 << 20
"""What an audit imports that a fit does not."""

CHILD = """
import json, resource, sys
import numpy as np, scipy.linalg, scipy.sparse, pyarrow.parquet, duckdb
import simgauge.models, simgauge.core.spectral.spectrum, simgauge.read.spill, simgauge.read.interactions
warm = np.ones((300, 300)) @ np.ones((300, 300))
scipy.linalg.eigh(warm, subset_by_index=(290, 299))
(scipy.sparse.csr_array(warm) @ warm).sum()
simgauge.read.interactions.read_interactions(pyarrow.table(dict(user=[1], item=[1])))
with open("/proc/self/status") as status:
    data = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
limit = data + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    {work}
except Exception as error:
    result = {{"error": type(error).__name__ + ": " + str(error)}}
print(json.dumps(result))
"""

FIT = """
    from simgauge.read.store.stored_interactions import StoredInteractions
    store = StoredInteractions.load(sys.argv[2])
    found = simgauge.core.spectral.spectrum.spectrum({matrix}, 8, solver="lanczos")
    result = dict(values=found.singular_values.tolist())
"""
READ = """
    from simgauge.read.interactions import read_interactions
    result = dict(pairs=read_interactions(sys.argv[2]).nnz)
"""
AUDIT = """
    from simgauge import Embedding, audit
    from simgauge.core.neighbors import streamed_topk
    from simgauge.core.tables import moments as geometry_moments
    streamed_topk.BLOCK_BYTES, geometry_moments.BLOCK_BYTES = 4 << 20, 2 << 20
    table = {table}
    result = dict(verdict=audit(Embedding(table), k=5, sample=50).verdict)
"""
SPILL = """
    from simgauge.read.spill import store_interactions
    store = store_interactions(sys.argv[2], sys.argv[3], memory="256MiB")
    result = dict(pairs=store.nnz)
"""


def limited(work: str, limit: int, *arguments: Path) -> dict:
    program = CHILD.format(work=work.strip())
    command = [sys.executable, "-c", program, str(limit), *map(str, arguments)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=threads, check=False)
    assert done.returncode == 0, f"{done.stderr}"
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def repeated_block() -> sparse.csr_array:
    rng = np.random.default_rng(0)
    n_pairs, n_users = 1_600_000, 8_000
    popular = (rng.random(n_pairs) ** 2 * N_ITEMS).astype(np.int32)
    pairs = sparse.coo_array((np.ones(n_pairs), (rng.integers(0, n_users, n_pairs), popular)), (n_users, N_ITEMS))
    return pairs.tocsr()


@pytest.fixture(scope="module")
def store(tmp_path_factory, repeated_block) -> Path:
    """Several hundred megabytes: one block of pairs again and again, for other users."""
    folder = tmp_path_factory.mktemp("store")
    counts = np.diff(repeated_block.indptr).astype(np.int64)
    with PairsWriter(folder, np.float64, pa.int64(), 1 << 20) as writer:
        for number in range(REPEATS):
            ids = pa.array(np.arange(len(counts)) + number * len(counts))
            writer.add(ids, counts, repeated_block.indices, repeated_block.data)
        writer.finish()
    item_counts = np.bincount(repeated_block.indices, minlength=N_ITEMS) * REPEATS
    pq.write_table(pa.table({"id": np.arange(N_ITEMS), "count": item_counts}), folder / ITEMS_FILE)
    write_metadata(folder, writer.parts, N_ITEMS, np.float64, {})
    return folder


def allowance(n_parts: int, n_threads: int = 1) -> int:
    """docs/memory.md, "Fit from a store", without the users' table."""
    basis = 2 * N_ITEMS * basis_limit(N_ITEMS, N_COMPONENTS, 8) * 8
    sums = (int(np.log2(n_parts)) + 2 + 3 * n_threads) * N_ITEMS * BLOCK * 8
    return basis + sums + SLACK


def test_a_store_is_fitted_in_a_fraction_of_its_size(store: Path, repeated_block) -> None:
    size = sum(path.stat().st_size for path in store.iterdir())
    limit = allowance(n_parts=REPEATS + 8)
    assert limit < size / 4, f"{limit} of {size}"
    found = limited(FIT.format(matrix="store.matrix"), limit, store)
    expected = spectrum(repeated_block, N_COMPONENTS, solver="lanczos").singular_values * np.sqrt(REPEATS)
    np.testing.assert_allclose(found["values"], expected, rtol=1e-4)  # the tolerance of the iteration


def test_the_same_in_memory_does_not_fit(store: Path) -> None:
    found = limited(FIT.format(matrix="store.matrix.gather()"), allowance(n_parts=REPEATS + 8), store)
    assert "MemoryError" in found["error"]


def test_tables_are_sorted_in_the_memory_allowed(tmp_path: Path) -> None:
    rng, n_events = np.random.default_rng(0), 5_000_000
    columns = {"user": rng.integers(0, n_events // 20, n_events), "item": rng.integers(0, 5_000, n_events)}
    columns["weight"] = rng.random(n_events)
    pq.write_table(pa.table(columns), tmp_path / "events.parquet", row_group_size=1 << 18)
    limit = (256 << 20) + SLACK
    done = limited(SPILL, limit, tmp_path / "events.parquet", tmp_path / "store")
    assert done["pairs"] > 0.95 * n_events
    control = limited(READ, limit, tmp_path / "events.parquet")
    assert "emory" in control["error"], f"{control}"


@pytest.mark.parametrize("letters", [8, 40])
def test_ids_of_text_take_what_is_said_of_them(tmp_path: Path, letters: int) -> None:
    """docs/memory.md, "Fit in memory": without the part for text they do not fit."""
    n_events = 400_000
    users = [f"u{number:0{letters - 1}d}" for number in range(n_events)]
    items = np.random.default_rng(0).integers(0, 1_000, n_events)
    pq.write_table(pa.table({"user": users, "item": items}), tmp_path / "events.parquet")
    need = in_memory_need([tmp_path / "events.parquet"])
    assert need is not None
    assert limited(READ, need + SLACK, tmp_path / "events.parquet").get("pairs") == n_events
    control = limited(READ, n_events * BYTES_PER_EVENT + SLACK // 4, tmp_path / "events.parquet")
    assert "emory" in control["error"], f"{control}"


def test_a_mapped_table_is_audited_in_a_fraction_of_its_size(tmp_path: Path) -> None:
    """docs/memory.md, "Audit of a memory-mapped table", with smaller blocks; in memory it does not fit."""
    n_rows, n_columns, block = 250_000, 256, 4 << 20
    rng, path = np.random.default_rng(0), tmp_path / "table.npy"
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, n_columns))
    for start in range(0, n_rows, 10_000):
        table[start : start + 10_000] = rng.standard_normal((10_000, n_columns), dtype=np.float32)
    table.flush()
    limit = AUDIT_BYTES_PER_ROW * n_rows + 8 * block + SAMPLED_PAIRS * n_columns * 8 + LIBRARIES_OF_AUDITS + SLACK
    assert limit < path.stat().st_size
    done = limited(AUDIT.format(table='np.load(sys.argv[2], mmap_mode="r")'), limit, path)
    assert done.get("verdict") in ("ok", "info", "warn", "fail"), f"{done}"
    control = limited(AUDIT.format(table="np.load(sys.argv[2])"), limit, path)
    assert "emory" in control["error"], f"{control}"
