"""What a command says of the vectors it read, and the options on how they are written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding

TABLE = np.random.default_rng(3).standard_normal((40, 4))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "x.csv"
    rows = [f"{100 + n},{','.join(map(str, row))},{1990 + n}" for n, row in enumerate(TABLE.tolist())]
    path.write_text("film_id,a,b,c,d,year\n" + "\n".join(rows) + "\n")
    return path


LINE = (
    "note: items: 40 rows x 4 components (text) from columns a … d of x.csv; ids from column film_id; "
    "left out: year (whole numbers)."
)


@pytest.mark.parametrize("command", [("audit", "-k", 3), ("neighbors", "100", "-k", 3), ("compare", "SAME", "-k", 3)])
def test_one_line_says_what_was_understood(run, table, command):
    name, *rest = command
    arguments = [table if part == "SAME" else part for part in rest]
    code, _, err = run(name, table, *arguments)
    assert code == 0
    assert err.count(LINE) == (2 if name == "compare" else 1)


def test_json_holds_it_and_stderr_stays_empty(run, table):
    for command in (("audit", table, "-k", 3), ("neighbors", table, "100", "-k", 3)):
        code, out, err = run(*command, "--json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        sources = found["sources"] if command[0] == "neighbors" else found["embedding"]["provenance"]["sources"]
        items = sources["items"]
        assert (items["rows"], items["components"], items["dtype"]) == (40, 4, "text")
        assert (items["vectors"], items["ids"], items["left_out"]) == (
            "columns a … d", "column film_id", ["year (whole numbers)"])  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ("align", "TABLE", "TABLE"),
        ("apply", "MAP", "TABLE", "--out", "OUT"),
        ("audit", "TABLE", "-k", 3),
        ("calibrate", "TABLE", "--pairs", "PAIRS"),
        ("compare", "TABLE", "TABLE", "-k", 3),
        ("export", "TABLE", "--to", "parquet:OUT.parquet"),
        ("fix", "TABLE", "--out", "OUT"),
        ("gauge", "TABLE", "--power", 0, "--out", "OUT"),
        ("neighbors", "TABLE", "100", "-k", 3),
        ("preview", "TABLE", "--dims", 2),
    ],
    ids=lambda command: command[0],
)
def test_every_command_tells_it_on_stderr_or_in_json_and_never_in_both(run, table, tmp_path, command):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,same\n" + "".join(f"{100 + n},{101 + n},{n % 2}\n" for n in range(39)))
    assert run("gauge", table, "--power", 0, "--out", tmp_path / "map")[0] == 0
    places = {"TABLE": table, "PAIRS": pairs, "MAP": tmp_path / "map", "OUT": tmp_path / "out",
              "parquet:OUT.parquet": f"parquet:{tmp_path / 'out.parquet'}"}  # fmt: skip
    arguments = [places.get(part, part) for part in command]
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    assert '"columns a … d"' in out
    json.loads(out)
    _, _, err = run(*arguments)
    assert LINE in err


def test_a_saved_embedding_is_told_too(run, tmp_path):
    saved = Embedding(TABLE, np.ones((7, 4)), item_ids=[f"w{n}" for n in range(40)]).save(tmp_path / "model")
    _, _, err = run("neighbors", saved, "w3", "-k", 3)
    assert "items: 40 rows x 4 components (float64) from the saved embedding of model; ids from it" in err
    assert "users: 7 rows x 4 components" in err


def test_the_answer_to_a_question_is_an_option(run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id;a;b\n" + "".join(f"w{n};{n + 1},5;{n},25\n" for n in range(9)))
    code, _, err = run("neighbors", path, "w1", "-k", 2)
    assert code == 2
    assert "--decimal ," in err
    code, out, _ = run("neighbors", path, "w1", "-k", 2, "--decimal", ",")
    assert code == 0
    assert "w2" in out
    code, _, err = run("neighbors", path, "3", "-k", 2, "--decimal", ",", "--ids", "positions")
    assert code == 0
    assert "row numbers, counted from 0, as asked" in err


def test_damaged_rows_are_left_out_when_asked(run, table):
    table.write_text(table.read_text().replace("\n105,", "\n105,oops"))
    code, _, err = run("neighbors", table, "100", "-k", 2)
    assert code == 2
    assert "x.csv, line 7: column 'a' holds no number but 'oops" in err
    code, _, err = run("neighbors", table, "100", "-k", 2, "--on-bad-row", "drop")
    assert code == 0
    assert "1 bad line left out: 'line 7'" in err
    assert "39 rows" in err


def test_every_way_out_that_a_message_names_is_an_option(run):
    import re
    from pathlib import Path

    import simgauge

    folder = Path(simgauge.__file__).parent / "read" / "vectors"
    named = {option for path in folder.glob("*.py") for option in re.findall(r"--[a-z][a-z-]+", path.read_text())}
    _, text, _ = run("audit", "--help")
    assert {"--decimal", "--header", "--no-header", "--ids", "--on-bad-row", "--encoding"} <= named
    assert [option for option in sorted(named) if option not in text] == []
