"""gensim: KeyedVectors (one table), and Word2Vec and FastText with both of their tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.read.libraries.found_tables import FoundTables, described, not_fitted


def from_gensim(model: Any) -> FoundTables:
    """Words with their vectors; of a model trained by negative sampling also the output vectors, as users."""
    names = {base.__name__ for base in type(model).__mro__}
    if "KeyedVectors" in names:
        return _words(
            model,
            model,
            None,
            objective="unknown",
            convention="input vectors only; what they were trained with is not stored",
        )
    if "Word2Vec" not in names or "Doc2Vec" in names:
        raise InputError(
            f"of gensim, KeyedVectors, Word2Vec and FastText are read; received {type(model).__name__}. Pass its "
            "vectors, such as model.wv or model.dv."
        )
    if not getattr(model, "negative", 0) or getattr(model, "syn1neg", None) is None:
        return _words(
            model,
            model.wv,
            None,
            objective="word2vec",
            convention="hierarchical softmax, a logistic loss for each node of a tree: its other table belongs to "
            "nodes, "
            "not to words",
        )
    predicts = "one input word" if model.sg else "the mean or sum of the words around it"
    return _words(
        model,
        model.wv,
        np.asarray(model.syn1neg),
        objective="word2vec",
        convention=f"users @ items.T is the logit of an output word (users) given {predicts} (items)",
    )


def _words(model: Any, keyed: Any, outputs: Any, *, objective: str, convention: str) -> FoundTables:
    vectors = np.asarray(keyed.vectors)
    if vectors.ndim != 2 or len(vectors) == 0:
        raise not_fitted(model, "vectors")
    words = [str(key) for key in keyed.index_to_key]
    return FoundTables(
        vectors,
        outputs,
        item_ids=words,
        user_ids=None if outputs is None else words,
        item_names=words,
        provenance=described(
            model,
            objective=objective,
            convention=convention,
            items_from="vectors" if keyed is model else "wv.vectors",
            users_from="none" if outputs is None else "syn1neg",
        ),
    )
