"""gensim: both tables of Word2Vec give the library's own output probabilities; KeyedVectors its own similarities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.libraries import from_library

pytestmark = pytest.mark.filterwarnings("ignore")  # of the library's own dependencies
WORDS = [f"w{number}" for number in range(15)]
SENTENCES = [list(np.random.default_rng(row).choice(WORDS, size=8)) for row in range(60)]


@pytest.fixture
def gensim_models() -> Any:
    return pytest.importorskip("gensim.models", reason="gensim is not installed (extra: adapters)")


def trained(models: Any, kind: str = "Word2Vec", **options: Any) -> Any:
    settings = {"vector_size": 6, "min_count": 1, "workers": 1, "seed": 1, "epochs": 20, "negative": 3, **options}
    return getattr(models, kind)(SENTENCES, **settings)


@pytest.mark.parametrize("sg", [0, 1])
@pytest.mark.parametrize("kind", ["Word2Vec", "FastText"])
def test_output_words_follow_the_dot_product(kind: str, sg: int, gensim_models: Any) -> None:
    """predict_output_word of one context word is the softmax of users @ items[word]."""
    model = trained(gensim_models, kind, sg=sg, **({"bucket": 50} if kind == "FastText" else {}))
    embedding = from_library(model)
    for word in WORDS[:4]:
        logits = np.exp((embedding.users @ embedding.items[embedding.find_items([word])[0]]).astype(float))
        expected = dict(zip(embedding.user_ids, logits / logits.sum(), strict=True))
        predicted = model.predict_output_word([word], topn=15)
        assert len(predicted) == 15
        for other, probability in predicted:
            assert probability == pytest.approx(expected[other], rel=1e-4)
    assert embedding.provenance["objective"] == "word2vec"
    assert embedding.provenance["users_from"] == "syn1neg"
    assert not np.allclose(embedding.users, embedding.items)  # the control: two tables, not one twice


def test_hierarchical_softmax_has_no_table_of_words(gensim_models: Any) -> None:
    embedding = from_library(trained(gensim_models, hs=1, negative=0))
    assert embedding.users is None
    assert embedding.provenance["objective"] == "word2vec"


def test_keyed_vectors(gensim_models: Any, tmp_path: Path) -> None:
    vectors = trained(gensim_models).wv
    embedding = from_library(vectors)
    unit = embedding.items / np.linalg.norm(embedding.items, axis=1, keepdims=True)
    for word, similarity in vectors.most_similar("w3", topn=5):
        expected = unit[embedding.find_items([word])[0]] @ unit[embedding.find_items(["w3"])[0]]
        assert similarity == pytest.approx(float(expected), abs=1e-5)
    assert embedding.provenance["objective"] == "unknown"
    assert embedding.provenance["unit_rows"]["items"] is False
    vectors.save_word2vec_format(str(tmp_path / "w.bin"), binary=True)
    assert np.array_equal(read_embedding(tmp_path / "w.bin").items, embedding.items)
    vectors.save(str(tmp_path / "w.kv"))
    with pytest.raises(InputError, match="save_word2vec_format"):
        read_embedding(tmp_path / "w.kv")


def test_documents_are_refused(gensim_models: Any) -> None:
    documents = [gensim_models.doc2vec.TaggedDocument(words, [row]) for row, words in enumerate(SENTENCES)]
    model = gensim_models.Doc2Vec(documents, vector_size=4, min_count=1, epochs=1, workers=1)
    with pytest.raises(InputError, match=r"model\.dv"):
        from_library(model)
    assert from_library(model.dv).n_items == 60
