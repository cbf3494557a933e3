"""Public situations with their right outcome: the vectors and ids that must come out, or the question that is asked.

Every input is made here, and where the folder of shared cases is there, its own file is read as well.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding

CASES = Path(os.environ.get("SIMGAUGE_TEST_CASES", Path(__file__).parents[4] / "shared" / "cases"))
TABLE = np.random.default_rng(7).standard_normal((60, 8)).astype(np.float32)
WORDS = [f"w{number}" for number in range(60)]
IDS = list(range(1000, 1000 + 7 * 60, 7))
FIRST = [2.4184453, -1.8110118, 0.63588965]
"""The first numbers of the shared cases' vectors."""


def shared(pattern: str) -> list[Path]:
    """Files of the shared cases; skipped where they are not there."""
    found = sorted(CASES.glob(pattern))
    if not found:
        pytest.skip(f"the shared cases are not at {CASES} (set SIMGAUGE_TEST_CASES to their folder)")
    return found


def source(found: Embedding) -> dict[str, Any]:
    return dict(found.provenance["sources"]["items"])


def csv(path: Path, header: list[str] | None, ids: list[Any] | None, table: Any = TABLE, **more: list[Any]) -> Path:
    frame = pd.DataFrame(np.asarray(table))
    if ids is not None:
        frame.insert(0, "given", ids)
    for name, values in more.items():
        frame[name] = values
    if header is not None:
        frame.columns = [*header, *more]
    frame.to_csv(path, index=False, header=header is not None)
    return path


LETTERS = list("abcdefgh")
IN_FRONT: dict[str, tuple[list[str] | None, str]] = {
    "04 a name that ends in id": (["anime_id", *[f"v{n}" for n in range(8)]], "04*/anime_id.csv"),
    "05 an index without name": (["", *map(str, range(8))], "05*/index_numhdr.csv"),
    "07 a header that counts from 0": (["anime_id", *map(str, range(8))], "07*/anime_id_numhdr.csv"),
    "a header that counts from 1": (["node", *map(str, range(1, 9))], ""),
    "09 distinct whole numbers beside fractions": (["node", *LETTERS], "09*/node_letters.csv"),
    "a column of no usual name": (["nummer", *LETTERS], ""),
    "camel case": (["trackId", *LETTERS], ""),
    "no header": (None, ""),
}


@pytest.mark.parametrize("case", IN_FRONT)
def test_ids_in_front_are_ids_and_never_a_component(case: str, tmp_path: Path) -> None:
    header, _ = IN_FRONT[case]
    found = read_embedding(csv(tmp_path / "x.csv", header, IDS))
    assert found.item_ids.tolist() == IDS
    assert np.array_equal(found.items.astype(np.float32), TABLE)
    frame = pd.DataFrame(TABLE, index=IDS)
    assert read_embedding(frame).item_ids.tolist() == IDS


@pytest.mark.parametrize("case", [case for case, (_, pattern) in IN_FRONT.items() if pattern])
def test_ids_in_front_in_the_shared_cases(case: str) -> None:
    for path in shared(IN_FRONT[case][1]):
        found = read_embedding(path)
        assert found.item_ids.tolist() == IDS
        assert np.allclose(found.items[0, :3], FIRST)
        assert found.n_components == 8


def test_10_a_year_among_the_letters_is_left_out_and_said(tmp_path: Path) -> None:
    path = csv(tmp_path / "x.csv", ["movieId", *LETTERS], IDS, year=[1950 + n for n in range(60)])
    for file in [path, *CASES.glob("10*/*.csv")]:
        found = read_embedding(file)
        assert (found.n_components, found.item_ids.tolist()) == (8, IDS)
        assert source(found)["left_out"] == ["year (whole numbers)"]
        assert source(found)["vectors"] == "columns a … h"
    every = read_embedding(f"{path}:a..year")
    assert every.items[3, 8] == 1953


def test_16_codes_with_ids_in_front(tmp_path: Path) -> None:
    codes = np.clip(TABLE * 10, -127, 127).astype(np.int8)
    for file, ids in ((csv(tmp_path / "x.csv", None, IDS, codes), IDS), *((f, IDS) for f in CASES.glob("16*/*.csv"))):
        found = read_embedding(file)
        assert found.item_ids.tolist() == ids
        assert found.n_components == 8
    counted = csv(tmp_path / "y.csv", None, list(range(1, 61)), codes)
    assert np.array_equal(read_embedding(counted).items, codes)
    assert read_embedding(counted).item_ids.tolist() == list(range(1, 61))


def test_codes_without_ids_have_none(tmp_path: Path) -> None:
    """The control: a first column that looks like the others is a component."""
    codes = np.clip(TABLE * 10, -127, 127).astype(np.int8)
    found = read_embedding(csv(tmp_path / "x.csv", None, None, codes))
    assert np.array_equal(found.items, codes)
    assert source(found)["ids"] == "row numbers, counted from 0"


@pytest.mark.parametrize("suffix", ["svm", "txt", "libsvm"])
def test_14_svmlight_is_no_table(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_text(
        "".join(f"{n} " + " ".join(f"{k + 1}:{v:.3f}" for k, v in enumerate(TABLE[n])) + "\n" for n in range(9))
    )
    for file in [path, *CASES.glob("14*/*.svm"), *CASES.glob("63*/sparse_idx.txt")]:
        with pytest.raises(InputError, match=r"sparse vectors as index:value pairs.*load_svmlight_file"):
            read_embedding(file)


@pytest.mark.parametrize("names", [["count"], ["score", "rank"], ["year"], ["x"], ["n_votes"]])
def test_15_one_or_two_measures_are_no_vectors_unless_asked_for(names: list[str], tmp_path: Path) -> None:
    frame = pd.DataFrame({"word": WORDS} | {name: np.arange(60) + 0.5 for name in names})
    path = tmp_path / "x.tsv"
    frame.to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match=rf"x\.tsv:{','.join(names)}"):
        read_embedding(path)
    found = read_embedding(f"{path}:{','.join(names)}")
    assert found.items[:, 0].tolist() == frame[names[0]].tolist()
    assert found.item_ids.tolist() == WORDS
    for file in CASES.glob("15*/[mn]*"):
        with pytest.raises(InputError, match=r"count|score, rank"):
            read_embedding(file)


class TestFamilies:
    @pytest.fixture
    def two(self, tmp_path: Path) -> Path:
        names = [*[f"v{n}" for n in range(8)], *[f"tfidf{n}" for n in range(8)]]
        return csv(tmp_path / "twofam.csv", ["id", *names], WORDS, np.hstack([TABLE, -TABLE]))

    def test_17_two_are_a_question(self, two: Path) -> None:
        for file in [two, *CASES.glob("17*/*.csv")]:
            with pytest.raises(InputError, match=r"twofam\.csv:v or twofam\.csv:tfidf"):
                read_embedding(file)

    def test_a_smaller_family_is_a_question_too(self, tmp_path: Path) -> None:
        names = [*[f"v{n}" for n in range(8)], "w1", "w2"]
        path = csv(tmp_path / "x.csv", ["id", *names], WORDS, np.hstack([TABLE, -TABLE[:, :2]]))
        with pytest.raises(InputError, match=r"2 families of numbered columns: v0 … v7 \(8 columns\) and w1 … w2"):
            read_embedding(path)
        assert np.array_equal(read_embedding(f"{path}:w").items.astype(np.float32), -TABLE[:, :2])

    def test_17_each_answer_works(self, two: Path) -> None:
        assert np.array_equal(read_embedding(f"{two}:v").items.astype(np.float32), TABLE)
        assert np.array_equal(read_embedding(f"{two}:tfidf").items.astype(np.float32), -TABLE)
        assert read_embedding(f"{two}:v,tfidf").n_components == 16
        assert read_embedding(f"{two}:v2..v4").items.shape == (60, 3)
        assert source(read_embedding(f"{two}:v"))["left_out"] == ["tfidf0 … tfidf7 (8 columns of numbers)"]

    def test_a_list_beside_numbered_columns_is_a_question(self, tmp_path: Path) -> None:
        table = {"id": WORDS, "emb": TABLE.tolist(), **{f"v{n}": -TABLE[:, n] for n in range(8)}}
        pq.write_table(pa.table(table), tmp_path / "x.parquet")
        with pytest.raises(InputError, match=r"x\.parquet:emb or x\.parquet:v"):
            read_embedding(tmp_path / "x.parquet")
        assert np.allclose(read_embedding(f"{tmp_path}/x.parquet:emb").items, TABLE)
        assert np.allclose(read_embedding(f"{tmp_path}/x.parquet:v").items, -TABLE)

    def test_numbered_columns_beside_as_many_others_are_a_question(self, tmp_path: Path) -> None:
        path = csv(tmp_path / "x.csv", ["id", *"abcdef", "h1", "h2"], WORDS)
        with pytest.raises(InputError, match=r"x\.csv:h or x\.csv:a\.\.f"):
            read_embedding(path)
        assert read_embedding(f"{path}:a..h2").n_components == 8

    @pytest.mark.parametrize("missing", ["", "NA", "null"])
    @pytest.mark.parametrize("row", [0, 30, 59])
    @pytest.mark.parametrize("names", [[f"v{n}" for n in range(8)], LETTERS])
    def test_an_empty_cell_never_drops_a_component(
        self, missing: str, row: int, names: list[str], tmp_path: Path
    ) -> None:
        path = csv(tmp_path / "x.csv", ["id", *names], WORDS)
        lines = path.read_text().splitlines()
        fields = lines[row + 1].split(",")
        lines[row + 1] = ",".join([*fields[:4], missing, *fields[5:]])
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(InputError, match=rf"x\.csv, line {row + 2}: column '{names[3]}' holds no number"):
            read_embedding(path)
        dropped = read_embedding(path, on_bad_row="drop")
        assert dropped.items.shape == (59, 8)
        assert dropped.item_ids.tolist() == [word for number, word in enumerate(WORDS) if number != row]
        assert f"line {row + 2}" in source(dropped)["notes"][0]

    def test_a_numbered_column_without_numbers_is_named(self, tmp_path: Path) -> None:
        path = csv(tmp_path / "x.csv", ["id", *[f"v{n}" for n in range(8)]], WORDS)
        frame = pd.read_csv(path)
        frame["v3"] = np.nan
        frame.to_csv(path, index=False)
        with pytest.raises(InputError, match=r"column 'v3' is numbered like v0 … v7 and holds nothing"):
            read_embedding(path)


def test_20_unsigned_bytes_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "uint8.npy", np.clip(TABLE * 40 + 128, 0, 255).astype(np.uint8))
    for file in [tmp_path / "uint8.npy", *CASES.glob("20*/uint8.npy")]:
        found = source(read_embedding(file))
        assert found["dtype"] == "uint8"
        assert "zero point" in found["notes"][0]
        assert "packed bits" in found["notes"][0]
    np.save(tmp_path / "int8.npy", np.clip(TABLE * 40, -127, 127).astype(np.int8))
    assert "notes" not in source(read_embedding(tmp_path / "int8.npy"))


def test_21_ids_beside_a_tensor(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(TABLE)
    vocabulary = {word: row for row, word in reversed(list(enumerate(WORDS)))}
    for beside in (
        {"ids": WORDS},
        {"stoi": vocabulary},
        {"itos": dict(enumerate(WORDS))},
        {"config": {"names": WORDS}},
    ):
        torch.save({**beside, "embeddings": tensor}, tmp_path / "x.pt")
        found = read_embedding(tmp_path / "x.pt")
        assert found.item_ids.tolist() == WORDS, f"{beside}"
        assert np.array_equal(found.items, TABLE)
    torch.save({"ids": WORDS[:-1], "embeddings": tensor}, tmp_path / "x.pt")
    assert source(read_embedding(tmp_path / "x.pt"))["left_out"] == ["ids (59 labels)"]
    for file in CASES.glob("21*/*.pt"):
        assert read_embedding(file).item_ids[0] == "tea"


@pytest.mark.parametrize("header", ["", "60 8\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("separator", [" ", "\t", "\t+"])
def test_22_63_word_vectors(header: str, bom: bytes, separator: str, tmp_path: Path) -> None:
    first, between = ("\t", " ") if separator == "\t+" else (separator, separator)
    lines = [word + first + between.join(map(str, row.tolist())) for word, row in zip(WORDS, TABLE, strict=True)]
    for suffix in ("txt", "vec"):
        path = tmp_path / f"x.{suffix}"
        path.write_bytes(bom + (header + "\n".join(lines) + "\n").encode())
        found = read_embedding(path)
        assert found.item_ids.tolist() == WORDS
        assert np.array_equal(found.items, TABLE)


def test_22_63_in_the_shared_cases() -> None:
    for path in [*shared("22*/*.txt"), *shared("63*/bom_hdr.vec"), *shared("63*/tab*")]:
        found = read_embedding(path)
        assert (found.item_ids[0], found.items.shape) == ("tea", (60, 8)), f"{path.name}"
        assert np.allclose(found.items[0, :3], FIRST, atol=1e-6)


def test_23_different_tensors_are_no_parts_of_one_table(tmp_path: Path) -> None:
    save_file({"emb.weight": TABLE}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"head.weight": -TABLE}, tmp_path / "model-00002-of-00002.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    for folder in [tmp_path, *CASES.glob("23*/shard")]:
        for given in (f"{folder}/*.safetensors", f"{folder}/*", folder):
            with pytest.raises(InputError, match=r"different tensors \(emb\.weight, head\.weight\)"):
                read_embedding(given)
    assert np.array_equal(read_embedding(f"{tmp_path}/*.safetensors:emb.weight").items, TABLE)
    assert np.array_equal(read_embedding(f"{tmp_path}/*.safetensors:head").items, -TABLE)
    with pytest.raises(InputError, match="no tensor is called 'tail'"):
        read_embedding(f"{tmp_path}/*.safetensors:tail")


def test_parts_come_in_natural_order(tmp_path: Path) -> None:
    for number in range(12):
        np.save(tmp_path / f"part{number}.npy", TABLE[5 * number : 5 * number + 5])
    for given in (f"{tmp_path}/part*.npy", tmp_path):
        assert np.array_equal(read_embedding(given).items, TABLE)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["x.pkl", "x.txt", "x.csv", "x", "x.npy", "x.pkl.gz"])
def test_26_pickles_of_any_protocol_are_refused(protocol: int, name: str, tmp_path: Path) -> None:
    import gzip

    for content in ({"tea": [0.1, 0.2]}, [[0.1, 0.2], [0.3, 0.4]], {"tea": TABLE[0]}, ("a", 1.5), TABLE):
        raw = pickle.dumps(content, protocol)
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        with pytest.raises(InputError, match="is a Python pickle: refused"):
            read_embedding(tmp_path / name)


def test_26_in_the_shared_cases() -> None:
    for path in shared("26*/*.pkl"):
        with pytest.raises(InputError, match="is a Python pickle: refused"):
            read_embedding(path)


def test_text_that_begins_like_a_pickle_is_text(tmp_path: Path) -> None:
    """The control: letters and brackets that are operations of the pickle machine."""
    (tmp_path / "x.txt").write_text("cat 0.5 1.5\n(dog 0.25 2.\n]x 1. 2.\nI 3. 4.\n")
    assert read_embedding(tmp_path / "x.txt").item_ids.tolist() == ["cat", "(dog", "]x", "I"]


def test_27_nested_lists_are_named_with_their_type(tmp_path: Path) -> None:
    nested = pa.array([[[1.0, 2.0], [3.0, 4.0]]] * 3)
    pq.write_table(pa.table({"id": [1, 2, 3], "embedding": nested}), tmp_path / "pq_nested.parquet")
    for file in [tmp_path / "pq_nested.parquet", *CASES.glob("27*/pq_nested.parquet")]:
        with pytest.raises(InputError, match=r"column 'embedding' is list<element: list<element: double>>"):
            read_embedding(file)
    texts = {"id": WORDS, "tags": [["a", "b"]] * 60, **{f"f{n}": TABLE[:, n] for n in range(8)}}
    pq.write_table(pa.table(texts), tmp_path / "strlist.parquet")
    for file in [tmp_path / "strlist.parquet", *CASES.glob("27*/strlist.parquet")]:
        found = read_embedding(file)
        assert found.n_components == 8
        assert source(found)["left_out"] == ["tags (list<element: string>)"]


def test_28_fp8_checkpoints(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"emb.weight": torch.tensor(TABLE).to(torch.float8_e4m3fn)}, tmp_path / "fp8.pt")
    for file in [tmp_path / "fp8.pt", *CASES.glob("28*/fp8.pt")]:
        with pytest.raises(InputError, match=r"fp8\.pt:emb\.weight holds float8_e4m3fn; expected float64"):
            read_embedding(file)
    torch.save({"emb.weight": torch.tensor(TABLE).to(torch.bfloat16)}, tmp_path / "bf16.pt")
    found = read_embedding(tmp_path / "bf16.pt")
    assert np.array_equal(found.items, torch.tensor(TABLE).to(torch.bfloat16).float().numpy())


def test_60_ids_beyond_64_bits_stay_text(tmp_path: Path) -> None:
    huge = [str(2**64 + n) for n in range(60)]
    path = csv(tmp_path / "hugeid.csv", ["word", *[f"v{n}" for n in range(8)]], huge)
    for file in [path, *CASES.glob("60*/hugeid.csv")]:
        assert read_embedding(file).item_ids.tolist() == huge
    fits = csv(tmp_path / "fits.csv", ["id", *LETTERS], [2**62 + n for n in range(60)])
    assert read_embedding(fits).item_ids.tolist() == [2**62 + n for n in range(60)]


class TestLabelsThatDoNotFit:
    def test_67_a_first_line_taken_for_a_header(self, tmp_path: Path) -> None:
        np.savetxt(tmp_path / "vectors.tsv", TABLE, delimiter="\t")
        (tmp_path / "metadata.tsv").write_text("\n".join(["time", *WORDS[1:]]) + "\n")
        pairs: list[tuple[Path, Path]] = [(tmp_path / "vectors.tsv", tmp_path / "metadata.tsv")]
        pairs += [(case / "vectors.tsv", case / "metadata1_name.tsv") for case in CASES.glob("67*")]
        for vectors, labels in pairs:
            with pytest.raises(
                InputError, match=r"59 labels for 60 rows: the first line of .* \('time'\) was taken for a"
            ):
                read_embedding(vectors, ids=labels)
        (tmp_path / "metadata.txt").write_text((tmp_path / "metadata.tsv").read_text())
        assert read_embedding(tmp_path / "vectors.tsv", ids=tmp_path / "metadata.txt").item_ids[0] == "time"

    def test_67_the_reverse(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", TABLE)
        (tmp_path / "words.txt").write_text("\n".join(["word", *WORDS]) + "\n")
        with pytest.raises(InputError, match=r"61 labels for 60 rows: .*'word'\) was taken for a label"):
            read_embedding(tmp_path / "x.npy", ids=tmp_path / "words.txt")
        (tmp_path / "words.csv").write_text((tmp_path / "words.txt").read_text())
        assert read_embedding(tmp_path / "x.npy", ids=f"{tmp_path}/words.csv:word").item_ids.tolist() == WORDS

    def test_68_swapped_sides(self, tmp_path: Path) -> None:
        np.save(tmp_path / "items.npy", np.ones((320, 4)))
        np.save(tmp_path / "users.npy", np.ones((200, 4)))
        (tmp_path / "ids.txt").write_text("".join(f"{n}\n" for n in range(1, 321)))
        for case in [tmp_path, *CASES.glob("68*")]:
            with pytest.raises(
                InputError, match="320 labels for 200 rows; the other table has 320 rows: were the two swa"
            ):
                read_embedding(case / "users.npy", users=case / "items.npy", ids=case / "ids.txt")
            assert read_embedding(case / "items.npy", users=case / "users.npy", ids=case / "ids.txt").n_users == 200

    def test_no_ids_can_be_said(self, tmp_path: Path) -> None:
        path = csv(tmp_path / "x.csv", ["id", *LETTERS], IDS)
        found = read_embedding(path, ids="positions")
        assert found.item_ids.tolist() == list(range(60))
        assert found.n_components == 8
        assert source(found)["ids"] == "row numbers, counted from 0, as asked"


@pytest.mark.parametrize(
    ("pattern", "first"),
    [("base.fvecs", FIRST), ("t.feather", FIRST), ("t.tsv.zst", FIRST), ("hnsw.bin", None), ("index.usearch", None)],
)
def test_69_what_is_read(pattern: str, first: list[float] | None) -> None:
    if "usearch" in pattern:
        pytest.importorskip("usearch")
    for path in shared(f"69*/{pattern}"):
        found = read_embedding(path)
        assert found.items.shape == (60, 8)
        unit = np.array(FIRST) / np.linalg.norm(FIRST)
        read = found.items[0, :3] / np.linalg.norm(found.items[0, :3])
        assert np.allclose(read, unit, atol=1e-2)  # usearch keeps 8 bits of each number
        if first:
            assert np.allclose(found.items[0, :3], first, atol=1e-6)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("raw.bytes", r"np\.save\('vectors\.npy', np\.fromfile\(path, dtype='float32'\)"),
        ("emb.db", r"name the table that holds the vectors, emb\.db:items"),
        ("ann.hdf5", r"Say which, such as ann\.hdf5:(test|train)"),
    ],
)
def test_69_what_is_asked(pattern: str, text: str) -> None:
    if "hdf5" in pattern:
        pytest.importorskip("h5py")
    for path in shared(f"69*/{pattern}"):
        with pytest.raises(InputError, match=text):
            read_embedding(path)


def test_69_fasttext_models(tmp_path: Path) -> None:
    (tmp_path / "cc.bin").write_bytes(b"\xba\x16\x4f\x2f" + b"\x0c\x00\x00\x00" + bytes(200))
    with pytest.raises(InputError, match=r"Use the \.vec beside it"):
        read_embedding(tmp_path / "cc.bin")


def test_70_lance() -> None:
    (path,) = shared("70*/lance/items.lance")
    try:
        import lance  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match=r"to_arrow\(\)"):
            read_embedding(path)
        return
    found = read_embedding(path)
    assert (found.item_ids[0], found.items.shape) == ("doc0", (60, 8))


def test_70_lance_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "lance", None)
    for part in ("_versions", "data"):
        (tmp_path / "items.lance" / part).mkdir(parents=True)
    with pytest.raises(
        InputError, match=r"items\.lance is a Lance table.*pip install 'simgauge\[formats\]'.*table\.to_arrow\(\)"
    ):
        read_embedding(tmp_path / "items.lance")
