"""Which candidates close the gap, and where `fix` arrives: every data set with interactions, every model.

    OMP_NUM_THREADS=1 python bench/candidates.py fix --out bench/results/candidates.jsonl
    OMP_NUM_THREADS=1 python bench/candidates.py families --out bench/results/candidate_families.jsonl
    python bench/candidates.py show bench/results/candidates.jsonl

A fifth of every user's interactions is held out of training. One half of the users chooses, the other half reports, and
no number of the reporting users enters a choice. The weighted recall weighs by 1/√popularity.

"fix": `fix` as users call it, by itself ("same model") and with the training interactions ("with refits"), against
plain cosine, dot product, the cosine of raw columns and EASE (the strength that is best on the choosing users).
"families": of each kind of candidate the best on the choosing users, as the reporting users see it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from candidate_families import families
from evidence_data import DATA, MODELS, SEED
from simgauge import fix
from simgauge.core.inference.paired import bootstrap_means
from simgauge.embedding import Embedding
from simgauge.evidence import hold_out
from simgauge.remedies import EaseWeights, LeaveAlone, RawColumns

APART = ("ml-latest-small", "stsb-words")
"""Sets that were not looked at while ladders, starts and the rounds of the search were made."""

REFERENCES = ("plain cosine", "dot", "raw columns (cosine)", "EASE")


def split_of(data: str) -> Any:
    return hold_out(DATA[data](), share=0.2, rng=SEED, k=20)


def run_fix(data: str, models: list[str], tell: Any) -> None:
    split = split_of(data)
    for model in models:
        users, items = MODELS[model](split.training.matrix)
        embedding = Embedding(items, users, item_ids=split.training.item_ids, user_ids=split.training.user_ids)
        choosing, reporting = split.evidence.split(0.5, SEED)
        asked = {"choosing": choosing.bind(embedding, SEED), "reporting": reporting.bind(embedding, SEED)}

        def measured(remedy: Any, side: str, embedding: Embedding = embedding, asked: Any = asked) -> np.ndarray:
            scores = asked[side].scores(remedy.fit(embedding, split.training), embedding)
            return np.stack([scores.plain, scores.weighted], axis=1)

        known = {
            "plain cosine": measured(LeaveAlone(), "reporting"),
            "dot": measured(LeaveAlone(metric="dot"), "reporting"),
            "raw columns (cosine)": measured(RawColumns(), "reporting"),
        }
        ease = [EaseWeights(strength=strength) for strength in (0.25, 1.0, 4.0, 16.0)]
        gains = [np.log(measured(one, "choosing").mean(axis=0)).sum() for one in ease]
        known["EASE"] = measured(ease[int(np.argmax(gains))], "reporting")
        for mode, interactions in (("same model", None), ("with refits", split.training)):
            start, cpu = time.perf_counter(), time.process_time()
            found = fix(embedding, choosing, interactions=interactions, rng=SEED)
            took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
            moved = found.transform(embedding).items
            own = measured_on(moved, found.metric, asked["reporting"], embedding)
            recall, weighted = known["plain cosine"].mean(axis=0)
            row = {"data": data, "model": model, "mode": mode, "decision": found.decision, "chosen": found.best_name,
                   "users": len(own), "searched": found.evidence["notes"][0], "recall": recall, "weighted": weighted,
                   **took, "load": os.getloadavg()[0]}  # fmt: skip
            row["against"] = {name: ratios(own, other) for name, other in known.items()}
            tell(row)


def measured_on(items: Any, metric: str, scorer: Any, embedding: Embedding) -> np.ndarray:
    """Scores of finished vectors."""
    moved = Embedding(items, item_ids=embedding.item_ids)
    scores = scorer.scores(LeaveAlone(metric=metric).fit(moved), moved)
    return np.stack([scores.plain, scores.weighted], axis=1)


def ratios(own: np.ndarray, other: np.ndarray) -> dict[str, list[float]]:
    """Ratio of the means with its paired 95 % interval, by measure, and of the geometric mean of both."""
    both = np.concatenate([own, other], axis=1)
    again = bootstrap_means(both, np.random.default_rng(SEED), 2000)
    logs = np.log(np.maximum(np.vstack([both.mean(axis=0), again]), 1e-9))
    change = logs[:, :2] - logs[:, 2:]
    parts = {"plain": change[:, 0], "weighted": change[:, 1], "gain": change.mean(axis=1)}
    return {
        name: np.exp([part[0], *np.quantile(part[1:], [0.025, 0.975])]).round(4).tolist()
        for name, part in parts.items()
    }


def run_families(data: str, models: list[str], tell: Any) -> None:
    split = split_of(data)
    users = {model: MODELS[model](split.training.matrix) for model in models}
    for family, choose, report, best, count in families(split, users):
        tell({"data": data, "family": family, "best": best, "candidates": count,
              "choosing": choose, "reporting": report})  # fmt: skip


def verdict(numbers: list[float]) -> str:
    return "better" if numbers[1] > 1 else "worse" if numbers[2] < 1 else "level"


def show(rows: list[dict[str, Any]]) -> None:
    if "family" in rows[0]:
        for row in rows:
            print(row["data"], row["family"], *(f"{value:.4f}" for value in row["reporting"]), row["best"], sep=" | ")
        return
    for row in rows:
        cells = [
            f"{row['against'][name]['plain'][0]:.2f} / {row['against'][name]['weighted'][0]:.2f}" for name in REFERENCES
        ]
        print(row["data"], row["model"], row["mode"], row["chosen"], *cells, f"{row['seconds']:.1f} s", sep=" | ")
    for apart in (False, True):
        for mode in ("same model", "with refits"):
            part = [row for row in rows if row["mode"] == mode and (row["data"] in APART) == apart]
            if part:
                print(f"\n{'kept apart' if apart else 'looked at'}, {mode}: {len(part)} pairs")
                print("\n".join(summary(part)))


def summary(part: list[dict[str, Any]]) -> list[str]:
    count = lambda name, measure, what: sum(verdict(row["against"][name][measure]) == what for row in part)  # noqa: E731
    median = lambda measure: np.median([row["against"]["plain cosine"][measure][0] for row in part])  # noqa: E731
    both = [[verdict(row["against"][name]["gain"]) for name in REFERENCES[2:]] for row in part]
    n = len(part)
    return [
        f"- median recall x{median('plain'):.2f}, weighted x{median('weighted'):.2f}",
        f"- better than plain cosine {count('plain cosine', 'gain', 'better')} of {n}; worse on recall "
        f"{count('plain cosine', 'plain', 'worse')}, on weighted {count('plain cosine', 'weighted', 'worse')}",
        f"- below dot {count('dot', 'gain', 'worse')} of {n}",
        f"- at least level with raw columns and EASE {sum('worse' not in one for one in both)} of {n}, "
        f"better than both {sum(set(one) == {'better'} for one in both)}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fix", "families", "show"])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--sets", default=",".join(DATA))
    parser.add_argument("--models", default="als,bpr,lmf,svd,linear-factors")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.what == "show":
        show([json.loads(line) for line in args.file.read_text().splitlines()])
        return
    warnings.simplefilter("ignore")

    def tell(row: dict[str, Any]) -> None:
        text = json.dumps(row, default=float)
        print(text[:240], flush=True)
        if args.out:
            with args.out.open("a", encoding="utf-8") as file:
                file.write(text + "\n")

    for data in args.sets.split(","):
        {"fix": run_fix, "families": run_families}[args.what](data, args.models.split(","), tell)


if __name__ == "__main__":
    main()
