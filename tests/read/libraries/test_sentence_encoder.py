"""sentence-transformers: similarity of the library is the product of the tables; a Normalize module fixes the norms.

Models are tiny and built here from modules, so that nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library

pytestmark = pytest.mark.filterwarnings("ignore")  # of the library's own dependencies
TOKENS = ["[UNK]", *(f"w{number}" for number in range(9))]
TABLE = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
TEXTS, QUERIES = ["w1 w2", "w3", "w5 w5 w1", "w3"], ["w2", "w8 w0"]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers")

    def build(normalize: bool, similarity: str = "dot") -> Any:
        from sentence_transformers import models

        tokenizer = tokenizers.Tokenizer(
            tokenizers.models.WordLevel({token: row for row, token in enumerate(TOKENS)}, unk_token="[UNK]")
        )
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        modules = [models.StaticEmbedding(tokenizer, embedding_weights=TABLE)]
        modules += [models.Normalize()] if normalize else []
        return library.SentenceTransformer(modules=modules, device="cpu", similarity_fn_name=similarity)

    return build


@pytest.mark.parametrize("normalize", [False, True])
def test_similarity_is_the_product(normalize: bool, built: Callable[..., Any]) -> None:
    model = built(normalize)
    embedding = from_library(model, texts=TEXTS, queries=QUERIES)
    expected = model.similarity(model.encode(QUERIES), model.encode(TEXTS)).numpy()
    assert np.allclose(embedding.users @ embedding.items.T, expected, atol=1e-5)
    assert embedding.item_names.tolist() == TEXTS
    assert np.allclose(np.linalg.norm(embedding.items, axis=1), 1, atol=1e-5) == normalize
    assert embedding.provenance["unit_rows"] == {"items": normalize, "users": normalize}
    assert embedding.provenance["objective"] == ("unit-sphere" if normalize else "unknown")
    assert embedding.provenance["similarity"] == "dot"
    assert embedding.provenance["library"] == "sentence_transformers"


def test_saved_static_table(built: Callable[..., Any], tmp_path: Path) -> None:
    built(False).save(str(tmp_path / "static"))
    embedding = read_embedding(tmp_path / "static")
    assert np.array_equal(embedding.items, TABLE)
    assert embedding.item_names.tolist() == TOKENS
    assert embedding.provenance["sources"]["items"]["file"] == "model.safetensors"


def test_bad_input(built: Callable[..., Any], tmp_path: Path) -> None:
    model = built(False)
    with pytest.raises(InputError, match="encode the texts you ship"):
        from_library(model)
    for texts in ("one text", []):
        with pytest.raises(ParameterError, match="expected a list of texts"):
            from_library(model, texts=texts)
    (tmp_path / "modules.json").write_text(json.dumps([{"path": "", "type": "x.Transformer"}]))
    with pytest.raises(InputError, match="encode the texts you ship"):
        read_embedding(tmp_path)
    (tmp_path / "modules.json").write_text(json.dumps([{"path": "../..", "type": "x.StaticEmbedding"}]))
    with pytest.raises(InputError, match="outside of the model"):
        read_embedding(tmp_path)
