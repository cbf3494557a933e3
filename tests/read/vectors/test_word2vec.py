"""Word vectors come back word for word; a damaged line is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.vectors import word2vec
from simgauge.read.vectors.word2vec import looks_like_word2vec, read_word2vec_binary, read_word2vec_text

WORD = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\t", exclude_categories=("Cs",)), min_size=1, max_size=5
)
NO_SPACE = WORD.filter(lambda word: " " not in word)


def write_text(path: Path, words: list[str], table: np.ndarray, header: bool, end: str = "\n") -> None:
    lines = [f"{len(words)} {table.shape[1]}"] if header else []
    lines += [f"{word} {' '.join(map(str, row.tolist()))}" for word, row in zip(words, table, strict=True)]
    path.write_bytes((end.join(lines) + end).encode())


def write_binary(path: Path, words: list[str], table: np.ndarray, newline: bytes = b"\n") -> None:
    rows = [
        word.encode() + b" " + row.astype("<f4").tobytes() + newline for word, row in zip(words, table, strict=True)
    ]
    path.write_bytes(f"{len(words)} {table.shape[1]}\n".encode() + b"".join(rows))


def table_for(words: list[str], n_components: int = 3) -> np.ndarray:
    return np.random.default_rng(len(words)).standard_normal((len(words), n_components)).astype(np.float32)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORD, min_size=1, max_size=8, unique=True),
    header=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", " \n"]),
)
def test_text_round_trip(words: list[str], header: bool, end: str, tmp_path: Path) -> None:
    """Words with spaces, quotes, commas and any script; fastText's blank at the line's end; Windows' line ends."""
    table = table_for(words)
    write_text(tmp_path / "w.vec", [f"w{word}" for word in words], table, header, end)
    found = read_word2vec_text(tmp_path / "w.vec")
    if header or sum(" " in word for word in words) < len(words) / 2:
        assert np.array_equal(found.vectors, table)
        assert found.words.tolist() == [f"w{word}" for word in words]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(NO_SPACE, min_size=1, max_size=8, unique=True), newline=st.sampled_from([b"", b"\n"]))
def test_binary_round_trip(words: list[str], newline: bytes, tmp_path: Path) -> None:
    table = table_for(words)
    write_binary(tmp_path / "w.bin", words, table, newline)
    found = read_word2vec_binary(tmp_path / "w.bin")
    assert np.array_equal(found.vectors, table)
    assert found.words.tolist() == words
    assert looks_like_word2vec(tmp_path / "w.bin") == "binary"


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"w{n}" for n in range(100)]
    table = table_for(words)
    write_text(tmp_path / "w.txt", words, table, header=False)
    monkeypatch.setattr(word2vec, "LINES_PER_BLOCK", 1)
    assert np.array_equal(read_word2vec_text(tmp_path / "w.txt").vectors, table)


def test_words_with_spaces_as_in_glove_840b(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("the 0.1 0.2\n. . . 0.3 0.4\nto name@example.com 0.5 0.6\nof 0.7 0.8\nat 1 1\n")
    found = read_word2vec_text(tmp_path / "w.txt")
    assert found.words.tolist() == ["the", ". . .", "to name@example.com", "of", "at"]
    assert found.vectors[1].tolist() == [np.float32(0.3), np.float32(0.4)]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("the 0.1 0.2\nof 0.3 0.4\n", "text"),
        ("2 2\nthe 0.1 0.2\nof 0.3 0.4\n", "text"),
        ("1986 0.1 0.2\nof 0.3 0.4\n", "text"),
        ("0.1 0.2\n0.3 0.4\n", None),
        ("a,b\n1,2\n", None),
        ("the quick brown\nfox jumps over\n", None),
    ],
)
def test_recognised(tmp_path: Path, text: str, form: str | None) -> None:
    (tmp_path / "w.txt").write_text(text)
    assert looks_like_word2vec(tmp_path / "w.txt") == form


def test_words_that_are_not_utf8_keep_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_bytes(b"caf\xe9 0.1 0.2\ncaf\xe8 0.3 0.4\n")
    assert read_embedding(tmp_path / "w.txt").item_ids.tolist() == ["caf\\xe9", "caf\\xe8"]


class TestCutOff:
    @pytest.fixture
    def glove(self, tmp_path: Path) -> Path:
        path = tmp_path / "glove.txt"
        path.write_text("the 0.1 0.2 0.3\nof 0.4 0.5 0.6\nto 0.7 0.8 0.9\nin 0.1 0.")
        return path

    def test_last_line(self, glove: Path) -> None:
        message = r"glove\.txt, line 4|glove\.txt: line 4 \('in 0\.1 0\.'\)|line 4"
        with pytest.raises(InputError, match=message) as failed:
            read_embedding(glove)
        assert "is not a word with 3 numbers" in str(failed.value)
        assert "on_bad_row='drop'" in str(failed.value)

    def test_drop_reports(self, glove: Path) -> None:
        found = read_embedding(glove, on_bad_row="drop")
        assert found.item_ids.tolist() == ["the", "of", "to"]
        assert "1 lines left out: line 4" in found.provenance["sources"]["items"]["notes"][0]

    def test_line_in_the_middle(self, glove: Path) -> None:
        glove.write_text("the 0.1 0.2 0.3\nof 0.4 x 0.6\nto 0.7 0.8 0.9\n\nin 0.1 0.2 0.3\n")
        with pytest.raises(InputError, match=r"line 2 \('of'\)"):
            read_embedding(glove)
        assert read_embedding(glove, on_bad_row="drop").item_ids.tolist() == ["the", "to", "in"]

    def test_last_number_cannot_be_known(self, glove: Path) -> None:
        glove.write_text("the 0.1 0.2 0.3\nof 0.4 0.5 0.6")
        (note,) = read_embedding(glove).provenance["sources"]["items"]["notes"]
        assert "its last number may be short" in note

    def test_header_that_promises_more(self, glove: Path) -> None:
        glove.write_text("3 2\nthe 0.1 0.2\nof 0.3 0.4\n")
        with pytest.raises(InputError, match="the header promises 3 words and 2 are there"):
            read_embedding(glove)
        assert read_embedding(glove, on_bad_row="drop").n_items == 2

    def test_header_that_promises_a_galaxy(self, glove: Path) -> None:
        glove.write_text("99999999999 2\nthe 0.1 0.2\n")
        with pytest.raises(InputError, match="the header promises 99999999999 words"):
            read_embedding(glove)
        glove.write_bytes(b"99999999999 999999999\nthe \x00\x00\x01")
        with pytest.raises(InputError, match="the header promises 99999999999 words of 999999999"):
            read_embedding(glove)

    def test_binary(self, tmp_path: Path) -> None:
        path = tmp_path / "w.bin"
        write_binary(path, ["a", "b", "c"], table_for(["a", "b", "c"]))
        path.write_bytes(path.read_bytes()[:-6])
        with pytest.raises(InputError, match="promises 3 words of 3 numbers; 2 are there"):
            read_embedding(path)
        assert read_embedding(path, on_bad_row="drop").item_ids.tolist() == ["a", "b"]
        write_binary(path, ["a"], table_for(["a"]))
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(InputError, match="4 bytes more"):
            read_embedding(path)

    def test_duplicates_and_bad_numbers(self, glove: Path) -> None:
        glove.write_text("the 0.1 0.2\nthe 0.3 0.4\nof 1 2\n")
        with pytest.raises(InputError, match=r"item_ids .glove.txt.: 1 labels are duplicates .such as 'the'"):
            read_embedding(glove)
        glove.write_text("the 0.1 0.2\nof nan 0.4\nto 1 2\n")
        with pytest.raises(InputError, match=r"NaN or infinite values .first: row 1"):
            read_embedding(glove)


def test_a_count_between_the_word_and_its_vector(tmp_path: Path) -> None:
    table = table_for([f"w{n}" for n in range(20)])
    rows = [f"w{n} {100 - n} {' '.join(map(str, row))}" for n, row in enumerate(table.tolist())]
    (tmp_path / "x.txt").write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"a count\? For the vectors alone pass x\.txt:2\.\.4"):
        read_embedding(tmp_path / "x.txt")
    alone = read_embedding(f"{tmp_path}/x.txt:2..4")
    assert np.array_equal(alone.items.astype(np.float32), table)
    assert alone.item_ids.tolist() == [f"w{n}" for n in range(20)]
    assert read_embedding(f"{tmp_path}/x.txt:1..4").items[:, 0].tolist() == [100 - n for n in range(20)]
