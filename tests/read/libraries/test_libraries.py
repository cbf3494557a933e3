"""A library is known by the name of its module, without importing it; unknown objects are told how to pass arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simgauge.auditing.training import find_objective
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library, implicit_factors, lightfm_factors


def test_unknown_objects_are_told_how_to_pass_arrays() -> None:
    for thing in (object(), np.eye(3), {"a": np.eye(3)}, 3):
        with pytest.raises(InputError, match=r"Embedding\(items, users"):
            from_library(thing)
    with pytest.raises(InputError, match="Embedding already"):
        from_library(Embedding(np.eye(2)))


def test_paths_that_are_no_models(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3))
    for path in (tmp_path / "x.npy", tmp_path / "missing", str(tmp_path)):
        with pytest.raises(InputError, match=r"read_embedding\(path\)"):
            from_library(path)


def test_no_library_is_imported_to_look_at_an_object() -> None:
    code = (
        "import sys, simgauge\nfrom simgauge.read.libraries import from_library\n"
        "kind = type('LightFM', (), {'__module__': 'lightfm.lightfm'})\n"
        "for thing in (kind(), object()):\n"
        "    try: from_library(thing)\n"
        "    except ValueError: pass\n"
        "loaded = [n for n in ('torch', 'faiss', 'implicit', 'lightfm', 'gensim', 'pyspark', 'transformers')"
        " if n in sys.modules]\nassert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}"


def test_every_implied_objective_is_one_the_audit_knows() -> None:
    implied = set(implicit_factors.OBJECTIVES.values()) | {"none", "svd", "als", "word2vec", "contrastive", "softmax"}
    implied |= {"unit-sphere", "unknown"}
    losses = ("logistic", "bpr", "warp", "warp-kos")
    implied |= {lightfm_factors._objective(loss) for loss in losses}
    assert {find_objective(name)[0] for name in implied} == implied


def test_labels_of_the_caller_come_first_and_options_are_checked() -> None:
    from sklearn.decomposition import TruncatedSVD

    model = TruncatedSVD(2, random_state=0).fit(np.arange(12.0).reshape(4, 3) % 5)
    embedding = from_library(model, item_ids=["a", "b", "c"], item_names=["A", "B", "C"])
    assert embedding.item_ids.tolist() == ["a", "b", "c"]
    assert embedding.item_names.tolist() == ["A", "B", "C"]
    with pytest.raises(ParameterError, match="drop_biases: no option"):
        from_library(model, drop_biases=True)


def test_a_gensim_pickle_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "w.kv").write_bytes(b"\x80\x04\x95\x1c\x00cgensim.models.keyedvectors\nKeyedVectors\n")
    for read in (read_embedding, from_library):
        with pytest.raises(InputError, match="save_word2vec_format"):
            read(tmp_path / "w.kv")
