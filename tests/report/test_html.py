"""The page and the numbers of an audit are written together, beside whatever else lies there."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, audit
from simgauge.errors import InputError
from simgauge.report.html import own_audit_files, write_audit
from simgauge.report.summary import report_summary


@pytest.fixture
def written(tmp_path, rng):
    result = audit(Embedding(rng.standard_normal((30, 4))), k=3)
    summary = report_summary(result.to_dict(), title="Audit", version="0")

    def write(name="out"):
        return write_audit(tmp_path / name, summary, result.to_json())

    write()
    return write


def test_both_files_are_known_again_and_replaced(written, tmp_path):
    assert own_audit_files(tmp_path / "out") == {"report.html", "audit.json"}
    (tmp_path / "out" / "report.html").write_text("<html>an older simgauge</html>")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    page, numbers = written()
    assert "older" not in page.read_text()
    assert '"findings"' in numbers.read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["audit.json", "notes.txt", "report.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["report.html", "audit.json"])
def test_a_report_of_the_user_is_not_overwritten(written, tmp_path, name):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / name).write_text("<html>the quarter's figures</html>")
    with pytest.raises(InputError, match=f"holds '{name}' already, not written by simgauge"):
        written("other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == [name]


def test_an_audit_beside_a_saved_embedding_leaves_it_whole(written, tmp_path):
    Embedding(np.eye(3)).save(tmp_path / "model")
    written("model")
    assert Embedding.load(tmp_path / "model").n_items == 3
