"""JSON in the shapes that services and databases give it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from read.vectors.table_problem import COUNTED, NUMBERS, ROWS, TABLE, WORDS, assert_whole, read, wrote
from simgauge.errors import InputError

BASE64 = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in TABLE]


def each(key: str, values: list[Any], **more: list[Any]) -> list[dict[str, Any]]:
    return [{**{name: entries[row] for name, entries in more.items()}, key: value} for row, value in enumerate(values)]


def openai(rows: list[Any]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": row, "embedding": value} for row, value in enumerate(rows)]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}


TITLES = [f"T{row}" for row in range(40)]
PAYLOADS = [{"title": title} for title in TITLES]
DOCUMENTS: dict[str, tuple[Any, list[Any]]] = {
    "OpenAI": (openai(ROWS), COUNTED),
    "OpenAI in base64": (openai(BASE64), COUNTED),
    "Chroma": ({"ids": WORDS, "embeddings": ROWS, "metadatas": PAYLOADS, "documents": TITLES, "uris": None}, WORDS),
    "Qdrant": ({"result": {"points": each("vector", ROWS, id=NUMBERS, payload=PAYLOADS)}, "status": "ok"}, NUMBERS),
    "Qdrant, one named vector": ({"points": each("vector", [{"text": r} for r in ROWS], id=NUMBERS)}, NUMBERS),
    "Pinecone fetched": (
        {"vectors": {w: {"id": w, "values": r} for w, r in zip(WORDS, ROWS, strict=True)}, "namespace": ""},
        WORDS,
    ),
    "Pinecone written": ({"vectors": each("values", ROWS, id=WORDS)}, WORDS),
    "Weaviate": ({"objects": each("vector", ROWS, id=WORDS, properties=PAYLOADS)}, WORDS),
    "Cohere": ({"id": "x", "embeddings": ROWS, "texts": WORDS}, WORDS),
    "label: vector": (dict(zip(WORDS, ROWS, strict=True)), WORDS),
    "vectors": (ROWS, COUNTED),
    "pairs": ([list(pair) for pair in zip(WORDS, ROWS, strict=True)], WORDS),
    "objects": (each("vector", ROWS, id=WORDS), WORDS),
    "wide": ([{"word": w, **{f"v{k}": x for k, x in enumerate(r)}} for w, r in zip(WORDS, ROWS, strict=True)], WORDS),
}


@pytest.mark.parametrize("shape", DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 1])
def test_documents(shape: str, indent: int | None, tmp_path: Path) -> None:
    document, ids = DOCUMENTS[shape]
    path = wrote(tmp_path / "x.json", json.dumps(document, indent=indent))
    assert_whole(path, ids)
    if shape in ("Chroma", "Qdrant", "Weaviate"):
        assert read(path)[0].item_names.tolist() == TITLES


LINES: dict[str, tuple[list[Any], list[Any]]] = {
    "objects": (each("vector", ROWS, id=WORDS), WORDS),
    "vectors": (ROWS, COUNTED),
    "Elasticsearch": ([{"_id": w, "_source": {"vec": r}} for w, r in zip(WORDS, ROWS, strict=True)], WORDS),
    "OpenAI's batches": (
        [{"custom_id": w, "response": {"body": openai([r])}} for w, r in zip(WORDS, ROWS, strict=True)],
        WORDS,
    ),
}


@pytest.mark.parametrize("shape", LINES)
@pytest.mark.parametrize("start", ["", "\ufeff", "\n\n"])
def test_lines(shape: str, start: str, tmp_path: Path) -> None:
    entries, ids = LINES[shape]
    text = start + "\n".join(map(json.dumps, entries))
    assert_whole(wrote(tmp_path / "x.jsonl", text), ids)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": [1,', r"x\.jsonl, line 2: not JSON"),
        (
            '{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": [1, "x"]}\n',
            r"entry 2: 'vector' is no list of numbers",
        ),
        ('{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": null}\n', r"entry 2: column 'vector' holds no vector"),
        (
            '{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": [1]}\n',
            r"entry 2: .* length 1 where|entry 1: .* length 2",
        ),
        (
            '{"id": "a", "vector": [1, 2]}\n{"id": "b", "vector": [1, NaN]}\n',
            r"items \(x\.jsonl\): 1 of 2 rows hold NaN",
        ),
        ("[]", "holds no vectors: it is an empty list"),
        ("[1, 2, 3]", "no vectors were found in this JSON"),
        ('{"model": "x", "layers": 3}', "no columns of numbers|1 column of numbers"),
        ("[" * 100_000 + "]" * 100_000, "not JSON"),
        (json.dumps({"points": each("vector", [{"a": r, "b": r} for r in ROWS], id=NUMBERS)}), r"x\.jsonl:a"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(wrote(tmp_path / "x.jsonl", text))


def test_bad_lines_can_be_left_out(tmp_path: Path) -> None:
    text = "\n".join([*map(json.dumps, each("vector", ROWS, id=WORDS)), '{"id": "cut'])
    understood = assert_whole(wrote(tmp_path / "x.jsonl", text), WORDS, on_bad_row="drop")
    assert understood["notes"] == ["1 bad line left out: 'line 41'"]


def test_numbers_keep_every_bit(tmp_path: Path) -> None:
    table = np.random.default_rng(0).standard_normal((5, 3)) * 10.0 ** np.arange(-5, 10, 3)[:, None]
    found, _ = read(wrote(tmp_path / "x.json", json.dumps(table.tolist())))
    assert np.array_equal(found.items, table)
