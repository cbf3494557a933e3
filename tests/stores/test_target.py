# ruff: noqa: ARG002 (a store of another package need not use what it is given)
"""Targets in a word, and those that another package adds under the entry point group "simgauge.stores"."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.shipping.check import check
from simgauge.shipping.export import export
from simgauge.stores import target as targets
from simgauge.stores.store import Store, StoredVectors, Written

HELD: dict[str, StoredVectors] = {}


class ShelfStore(Store):
    """A store of another package: it holds rows in a dict of this process."""

    kind = "shelf"
    searches = False

    def write(self, rows, *, index=True, progress=None):
        HELD[self.address] = StoredVectors(rows.ids, rows.vectors(), "cosine", rows.n_rows, rows.card)
        return Written(rows.n_rows)

    def read(self, *, rows=True):
        if self.address not in HELD:
            raise self.not_there(self.address)
        return HELD[self.address]

    def recipe(self, rows):
        return f"HELD[{self.address!r}]"


@pytest.fixture
def plugin(monkeypatch):
    entry = EntryPoint("shelf", f"{__name__}:ShelfStore", targets.GROUP)
    monkeypatch.setattr(targets, "entry_points", lambda group: [entry] if group == "simgauge.stores" else [])


def test_a_target_of_another_package_is_written_and_checked(plugin, rng):
    assert "shelf" in targets.known_kinds()
    model = Embedding(rng.normal(size=(20, 3)))
    shipped = export(model, "shelf:top")
    assert (shipped.verified, shipped.n_rows, shipped.recipe) == (True, 20, "HELD['top']")
    np.testing.assert_allclose(np.linalg.norm(HELD["top"].vectors, axis=1), 1.0, rtol=1e-6)
    assert check("shelf:top").verdict == "ok"
    with pytest.raises(InputError, match="holds no table"):
        check("shelf:bottom")


def test_without_the_package_its_target_is_unknown():
    with pytest.raises(InputError, match="names no target"):
        targets.parse_target("shelf:top")
