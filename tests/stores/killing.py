"""Exports in processes of their own that are killed while they write, and what lies at the target afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.stores.target import open_store

WRITES = """
import sys
from simgauge.read.as_embedding import as_embedding
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store
rows, store = export_rows(as_embedding(sys.argv[1])), open_store(sys.argv[2])
print("begin", flush=True)
store.write(rows)
print("end", flush=True)
"""
ROWS, ROWS_OF_QDRANT = 3_000, 60
"""The local mode of Qdrant's client commits row by row."""
COMPONENTS = 16


class Killing:
    """A target, two embeddings A and B with other ids, and what went wrong.

    Every round kills a write of B over A at a random moment after it began. Then A or B must be there as a whole, or
    the target says that an export did not finish; and the next write of A must leave A.
    """

    def __init__(self, kind: str, target: str, folder: Path, seed: int = 0, rows: int = ROWS) -> None:
        self.kind, self.target, self.folder = kind, target, folder
        self.n, self.moments = ROWS_OF_QDRANT if kind == "qdrant" else rows, random.Random(f"{kind}{seed}")
        self.faults: list[str] = []
        self.seen: dict[str, int] = {}
        self.forms = {}
        rng = np.random.default_rng(seed)
        for start, name in ((0, "A"), (self.n, "B")):
            table = rng.standard_normal((self.n, COMPONENTS))
            Embedding(table, item_ids=np.arange(start, start + self.n)).save(folder / name)
            self.forms[name] = (start, table / np.linalg.norm(table, axis=1, keepdims=True))
        self.write("A")
        self.seconds = self.write("B")
        self.write("A")

    def round(self) -> None:
        """Kill one write, look what is there, write again and look again."""
        ended = self.write("B", kill_after=self.moments.uniform(0, 1.05) * self.seconds)
        state = self.state()
        self.seen[state] = self.seen.get(state, 0) + 1
        if state not in ("A", "B", "unfinished"):
            self.faults.append(f"{self.kind}, killed {ended:.2f} s after it began to write: {state}")
        try:
            self.write("A")
        except subprocess.CalledProcessError as error:
            self.faults.append(f"{self.kind}: the next write fails: {error.stderr[-300:]}")
        if self.state() != "A":
            self.faults.append(f"{self.kind}: the next write leaves {self.state()}")

    def write(self, form: str, *, kill_after: float | None = None) -> float:
        """Seconds of the write of one embedding, the start of the process aside."""
        child = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(self.folder / form), self.target],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with child:
            assert child.stdout is not None
            while (line := child.stdout.readline()) and line != "begin\n":
                pass  # some clients greet
            begin = time.monotonic()
            if kill_after is not None:
                time.sleep(kill_after)
                child.kill()
            _, errors = child.communicate()
        if kill_after is None and child.returncode:
            raise subprocess.CalledProcessError(child.returncode, "write", stderr=errors)
        return time.monotonic() - begin

    def state(self) -> str:
        """Which of the two lies there as a whole; "unfinished" where the target says that an export did not finish."""
        try:
            found = open_store(self.target).read()
        except InputError as error:
            return "unfinished" if "did not finish" in str(error) else str(error)
        finally:
            if self.kind == "milvus":  # its server lives in this process, and only one may have the file open
                from milvus_lite.server_manager import server_manager_instance

                server_manager_instance.release_server(self.target.partition(":")[2])
        order = np.argsort(found.ids)
        for name, (start, unit) in self.forms.items():
            ids = np.arange(start, start + self.n)
            whole = found.count == len(found.ids) == self.n and np.array_equal(found.ids[order], ids)
            if whole and np.allclose(found.vectors[order], unit, atol=1e-5) and found.card is not None:
                return name
        return f"{len(found.ids)} rows, of neither as a whole"
