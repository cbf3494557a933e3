"""One model of MovieLens, two gauges, the same predictions: what is similar to a film?

    python bench/similar_films.py            # prints the rows
    python bench/similar_films.py --write    # stores them in bench/results/similar_films.json

The data are the ratings of MovieLens latest-small, of which a rating of four or more is a like; they are not part of
the repository (SIMGAUGE_TEST_DATA names the folder that holds them). The model is `simgauge.LinearAutoencoder` with 64
components and its other parameters as they come. Every film with at least one like may be listed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import simgauge

SHARED = Path(os.environ.get("SIMGAUGE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
STORED = Path(__file__).parent / "results" / "similar_films.json"
FILMS = ("Toy Story (1995)", "Matrix, The (1999)", "Godfather, The (1972)", "Pulp Fiction (1994)", "Titanic (1997)")
"""Well-known films, picked by hand; `rarely_liked` says what holds for all."""
N_COMPONENTS, LISTED, DEPTH, WELL_LIKED = 64, 6, 10, 50


def likes() -> simgauge.Interactions:
    """Ratings of four and more, with titles."""
    with zipfile.ZipFile(SHARED / "ml-latest-small" / "ml-latest-small.zip") as archive:
        ratings, films = (
            pd.read_csv(archive.open(next(entry for entry in archive.namelist() if entry.endswith(name))))
            for name in ("ratings.csv", "movies.csv")
        )
    liked = ratings[ratings.rating >= 4]
    return simgauge.read_interactions(
        liked[["userId", "movieId"]],
        user="userId",
        item="movieId",
        names=dict(zip(films.movieId, films.title, strict=True)),
    )


def spoken(title: str) -> str:
    """A title as people say it: no year, no other titles, the article in front."""
    title = re.sub(r"\s*\([^)]*\)", "", title)
    return re.sub(r"^(.*), (The|A|An)$", r"\2 \1", title)


def gauges_of(model: simgauge.Embedding) -> dict[str, simgauge.Embedding]:
    """The two gauges that are shown."""
    return {"as trained": model, "projected": simgauge.canonical_gauge(model, power=1.0, center="users")}


def rows() -> dict[str, Any]:
    """Lists of both gauges, how far their predictions are apart, and the recall of held-out likes."""
    data = likes()
    fitted = simgauge.LinearAutoencoder(n_components=N_COMPONENTS).fit(data.matrix)
    gauges = gauges_of(fitted.embedding(data))
    counts = np.diff(data.matrix.tocsc().indptr)
    first, second = (gauge.users @ gauge.items.T for gauge in gauges.values())
    films = []
    for film in FILMS:
        row = int(gauges["as trained"].find_items([film])[0])
        lists = {
            name: [
                {"title": spoken(str(data.item_names[item])), "likes": int(counts[item])}
                for item in simgauge.top_k(gauge.items, LISTED, rows=[row])[0][0].tolist()
            ]
            for name, gauge in gauges.items()
        }
        films.append({"film": spoken(film), "likes": int(counts[row]), **lists})
    return {
        "data": "MovieLens latest-small, ratings of four and more",
        "model": f"LinearAutoencoder(n_components={N_COMPONENTS})",
        "n_users": data.matrix.shape[0],
        "n_films": data.matrix.shape[1],
        "largest difference of a prediction, relative": float(np.abs(first - second).max() / np.abs(first).max()),
        "recall of held-out likes": recalls(data),
        "films of the lists that at most two users like": rarely_liked(gauges, counts),
        "films": films,
    }


def rarely_liked(gauges: dict[str, simgauge.Embedding], counts: NDArray[Any]) -> dict[str, float]:
    """For all films with 50 likes or more: the share of the 10 listed beside them that at most two users like."""
    rows = np.flatnonzero(counts >= WELL_LIKED)
    lists = {name: simgauge.top_k(gauge.items, DEPTH, rows=rows)[0] for name, gauge in gauges.items()}
    return {"films": len(rows), **{name: round(float(np.mean(counts[found] <= 2)), 3) for name, found in lists.items()}}


def recalls(data: simgauge.Interactions) -> dict[str, float]:
    """Recall@20 of likes held out of a model that was fitted without them, plain and weighted by popularity."""
    held = simgauge.evidence.hold_out(data, share=0.2, rng=0)
    model = simgauge.LinearAutoencoder(n_components=N_COMPONENTS).fit(held.training.matrix).embedding(held.training)
    scorer = held.evidence.bind(model)
    result = {}
    for name, gauge in gauges_of(model).items():
        remedy = simgauge.remedies.LeaveAlone("cosine").fit(gauge)
        scores = scorer.scores(remedy, gauge)
        result[name] = round(float(np.mean(scores.plain)), 3)
        result[f"{name}, popular films counting less"] = round(float(np.mean(scores.weighted)), 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    text = json.dumps(rows(), indent=1, ensure_ascii=False) + "\n"
    print(text)
    if parser.parse_args().write:
        STORED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
