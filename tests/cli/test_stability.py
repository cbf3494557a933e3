"""simgauge stability: trainings as files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding, gauge_transform, random_gauge

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def trainings(tmp_path, rng):
    items, users = rng.standard_normal((120, 6)), rng.standard_normal((90, 6))
    for number in range(6):
        noisy = Embedding(items + 0.1 * rng.standard_normal(items.shape) + (number >= 3) * np.eye(120, 6), users=users)
        gauge_transform(noisy, random_gauge(6, 10.0, rng=number)).save(tmp_path / f"run{number}")
    return [tmp_path / f"run{number}" for number in range(6)]


def test_seeds_and_weeks(run, trainings):
    code, out, _ = run("stability", *trainings[:3])
    assert code == 0
    assert "in the canonical gauge" in out
    assert "earlier and later" not in out
    later = [argument for path in trainings[3:] for argument in ("--later", path)]
    code, out, _ = run("stability", *trainings[:3], *later)
    assert code == 0
    assert "changed by the data" in out
    code, out, err = run("stability", *trainings[:3], *later, "--json")
    found = json.loads(out)
    assert (code, err, found["n_models"], found["n_later"]) == (0, "", 3, 3)
    assert len(found["sources"]) == 6


def test_users_in_files_of_their_own(run, trainings, tmp_path):
    arguments = []
    for number, path in enumerate(trainings[:2]):
        model = Embedding.load(path)
        np.save(tmp_path / f"items{number}.npy", model.items)
        np.save(tmp_path / f"users{number}.npy", model.users)
        arguments += [tmp_path / f"items{number}.npy", "--users", tmp_path / f"users{number}.npy"]
    code, out, _ = run("stability", *arguments, "--json")
    names = [measure["name"] for measure in json.loads(out)["measures"]]
    assert (code, names) == (0, ["as trained", "canonical", "predictions"])
    code, _, err = run("stability", *arguments[:-2])
    assert code == 2
    assert "1 files for 2 models" in err


def test_questions(run, trainings):
    code, _, err = run("stability", trainings[0])
    assert code == 2
    assert "two models or more" in err
    code, _, err = run("stability", *trainings[:2], "--later", trainings[3])
    assert code == 2
    assert "one later model" in err
