"""Does the selection keep its promises? Every data set, every model, on users that had no part in any choice.

    OMP_NUM_THREADS=1 python bench/evidence.py --out bench/results     # a few minutes
    python bench/evidence.py --sets "ml-100k;msweb" --models als,bpr

Interactions are held out of every user at random (or by the split that shipped vectors come with). One half of the
users selects, the other half reports. A new data set is one function that returns Interactions, in DATA.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evidence_data import (
    DATA,
    LATER,
    MODELS,
    SEED,
    CoCounts,
    MostPopular,
    glove,
    shipped_als_genres,
    shipped_bpr,
    things_categories,
)
from simgauge.core.inference.paired import bootstrap_means, max_t
from simgauge.core.inference.tradeoff import Rule, change_influence, changes, cross_fit, pick
from simgauge.embedding import Embedding
from simgauge.evidence import CoConsumption, hold_out
from simgauge.evidence.matching import works_on_vectors
from simgauge.interactions import Interactions
from simgauge.remedies import default_candidates, default_references
from simgauge.selection import fix
from simgauge.selection.scoring import score_candidates
from simgauge.selection.zero_vectors import without_zero_vectors

K = 20
BASE = "leave alone(cosine)"
PLAIN = {
    "leave alone(dot)": "dot",
    "centering": "centred cosine",
    "whitening": "whitening",
    "all-but-the-top": "all-but-the-top",
}
"""Remedies that are reported beside the chosen one, by the beginning of their names."""
UNTOUCHED = ("msweb", "python-imports")
"""Sets that candidates, objective and guard were not chosen with; reported apart. Their first run exposed two defects
that were repaired: a chain that ends in a neighbour-level remedy counted as a map of vectors, and one sample of queries
shared by all users, whose variance no resampling of users could see."""

SETS = ("ml-100k", "ml-latest-small", "clusters", "ml-100k-bpr (shipped)", *UNTOUCHED, *LATER)

Numbers = dict[str, tuple[float, float, float]]


MODES: dict[str, dict[str, Any]] = {
    "before": {},
    "same model": {"refits": False},
    "with refits": {"refits": True},
    "discovery, same model": {"refits": False, "aim": "discovery"},
    "discovery, with refits": {"refits": True, "aim": "discovery"},
}
"""What is run. "same model": `fix` without the interactions; "with refits": with them; "discovery": the weight is
1 / popularity, so that the guard speaks of it. "before": the fixed list with refits, by the rule that was in force
until the guard went by bounds, weighed by 1 / popularity."""
EXPONENTS = ("plain", "at 0.5", "at 1")


class Result(NamedTuple):
    """One (data, model) pair, on users that had no part in the choice."""

    data: str
    model: str
    mode: str
    decision: str
    best: str
    n_users: int
    recall: float
    weighted: float
    against: dict[str, Numbers]
    """Reference -> "plain", "at 0.5", "at 1", "gain" -> ratio of the chosen one to it, with its 95 % interval; the gain
    is the geometric mean of the first two."""
    expected: list[float]
    """Gain that was told with its interval; empty where nothing was chosen or told."""
    seconds: float

    def verdict(self, reference: str, measure: str = "gain") -> str:
        _, low, high = self.against[reference][measure]
        return "better" if low > 1 else "worse" if high < 1 else "level"


def run_pair(
    data: str, model: str, embedding: Embedding, training: Interactions, evidence: CoConsumption
) -> list[Result]:
    embedding, _ = without_zero_vectors(embedding)
    training = training.align(embedding.item_ids)
    choosing, reporting = evidence.split(0.5, SEED)
    scorer = reporting.bind(embedding, SEED)
    scores = references(embedding, training, choosing, scorer)
    base, results = scores["plain cosine"], []
    for mode, how in MODES.items():
        start = time.process_time()
        if mode == "before":
            best, decision, expected = before(embedding, training, choosing)
        else:
            known = training if how["refits"] else None
            found = fix(embedding, choosing, interactions=known, rng=SEED, trust_ids=True, aim=how.get("aim"))
            best, decision = found.best, found.decision
            expected = list(found.confirmation.gain[:3]) if decision == "improved" else []
        seconds = time.process_time() - start
        chosen = units_of(best, embedding, scorer)
        against = {name: ratio(chosen, reference) for name, reference in scores.items()}
        results.append(Result(
            data, model, mode, decision, best.name, len(base), float(base[:, 0].mean()), float(base[:, 1].mean()),
            against, [round(float(value), 4) for value in expected], round(seconds, 1),
        ))  # fmt: skip
    return results


def references(embedding: Embedding, training: Interactions, choosing: Any, scorer: Any) -> dict[str, Any]:
    """Scores of what is reported beside the choice, on the users who report."""
    scores = {}
    for candidate in default_candidates(embedding, training):
        label = next((label for start, label in PLAIN.items() if candidate.name.startswith(start)), None)
        label = "plain cosine" if candidate.name == BASE else label
        if label is not None and label not in scores:
            scores[label] = units_of(candidate.fit(embedding, training), embedding, scorer)
    own, ease = choosing.bind(embedding, SEED), -np.inf
    for reference in (MostPopular(), CoCounts(), *default_references(training)):
        reference.fit(embedding, training)
        if not reference.name.startswith("EASE"):
            scores.setdefault(reference.name, units_of(reference, embedding, scorer))
            continue
        gain = float(np.log(units_of(reference, embedding, own)[:, :2].mean(axis=0)).mean())
        if gain > ease:
            ease, scores["EASE"] = gain, units_of(reference, embedding, scorer)
    return scores


def before(embedding: Embedding, training: Interactions, choosing: Any) -> tuple[Any, str, list[float]]:
    """The largest gain of those measured to lose no more than 2 %, if it is confirmed; else the plain cosine."""
    scorer = replace(choosing, popularity_exponent=1.0).bind(embedding, SEED)
    candidates = [c for c in default_candidates(embedding, training) if works_on_vectors(c)]
    scored = score_candidates(candidates, embedding, training, scorer, strict=False)
    units, weights = scored.units[:, :2], np.array([0.5, 0.5])
    rng = np.random.default_rng(SEED)
    folds = rng.permutation(np.arange(len(units)) % 5)
    draws = bootstrap_means(units.reshape(len(units), -1), rng, 2000).reshape(-1, *units.shape[1:])
    gains = max_t(
        weights @ changes(units.mean(axis=0), "ratio"), np.einsum("m,bmc->bc", weights, changes(draws, "ratio"))
    )
    for margin in (0.0, 1.0):
        rule = Rule(weights, "ratio", 0.02, margin)
        best = pick(units, rule).candidate
        cross, _ = cross_fit(units, rule, folds)
        parts = changes(cross.mean(axis=0), "ratio")[:, 1]
        if parts.min() >= np.log(0.98):
            break
    error = (weights @ change_influence(cross, "ratio"))[:, 1].std() / np.sqrt(len(units))
    sure = gains.low[best] > 0 and weights @ parts > 1.96 * error and parts.min() >= np.log(0.98)
    final = best if sure else 0
    return scored.candidates[final], "improved" if sure else "left alone", []


def units_of(candidate: Any, embedding: Embedding, scorer: Any) -> Any:
    """Scores of every user: plain, weighted at a half, weighted at one."""
    found = scorer.scores(candidate, embedding)
    return np.stack([found.plain, found.weighted, *found.others], axis=1)


def ratio(chosen: Any, reference: Any) -> Numbers:
    """Ratios of means with paired percentile intervals."""
    cube = np.stack([reference, chosen], axis=2)
    rng = np.random.default_rng(SEED)
    resampled = bootstrap_means(cube.reshape(len(cube), -1), rng, 2000).reshape(-1, *cube.shape[1:])
    moved, again = changes(cube.mean(axis=0), "ratio")[:, 1], changes(resampled, "ratio")[..., 1]
    numbers = {name: (moved[m], again[:, m]) for m, name in enumerate(EXPONENTS)}
    numbers["gain"] = (moved[:2].mean(), again[:, :2].mean(axis=1))
    return {
        name: tuple(np.exp([value, *np.quantile(draws, [0.025, 0.975])]).round(4).tolist())
        for name, (value, draws) in numbers.items()
    }


def behaviour(sets: list[str], models: list[str]) -> list[Result]:
    results = []
    for data in sets:
        if data == "ml-100k-bpr (shipped)":
            results += run_pair(data, "bpr", *shipped_bpr())
            print(*map(line, results[-len(MODES) :]), sep="\n", flush=True)
            continue
        split = LATER[data]() if data in LATER else hold_out(DATA[data](), share=0.2, rng=SEED, k=K)
        for model in models:
            users, items = MODELS[model](split.training.matrix)
            ids = {"item_ids": split.training.item_ids, "user_ids": split.training.user_ids}
            results += run_pair(data, model, Embedding(items, users, **ids), split.training, split.evidence)
            print(*map(line, results[-len(MODES) :]), sep="\n", flush=True)
    return results


def other_evidence() -> list[dict[str, Any]]:
    """Judgements and labels, where there is no second half to spare: cross-fitted figures of `fix` itself."""
    lists = ("EN-WS-353-ALL.txt", "EN-MEN-TR-3k.txt", "EN-SIMLEX-999.txt", "EN-RW-STANFORD.txt")
    sources = {f"glove x {name}": (lambda name=name: glove(name)) for name in lists}
    sources |= {
        "ml-small-als x genres (no hold-out)": shipped_als_genres,
        "things-vice x categories": things_categories,
    }
    rows = []
    for name, source in sources.items():
        embedding, evidence = source()
        candidates = [c for c in default_candidates(embedding) if works_on_vectors(c)]
        found = fix(embedding, evidence, candidates, rng=SEED)
        base = next(row for row in found.table if row.baseline)
        cross = found.confirmation
        rows.append({"evidence": name, "measure": found.evidence["measure"], "units": found.evidence["n_units"],
                     "alone": round(base.plain.value, 4), "decision": found.decision, "best": found.best_name,
                     "change": str(cross.plain_change), "weighted": str(cross.weighted_change or "")})  # fmt: skip
        print(" | ".join(str(value) for value in rows[-1].values()), flush=True)
    return rows


BESIDE = (*PLAIN.values(), "most popular", "co-counts", "raw columns (cosine)", "EASE")


def line(result: Result) -> str:
    cells = [result.data, result.model, result.mode, f"{result.recall:.3f}", result.best]
    base = result.against["plain cosine"]
    cells += [f"{base[m][0]:.2f} [{base[m][1]:.2f}, {base[m][2]:.2f}]" for m in EXPONENTS]
    for name in BESIDE:
        numbers = result.against.get(name)
        cells.append("" if numbers is None else f"{numbers['plain'][0]:.2f} / {numbers['at 0.5'][0]:.2f}")
    return " | ".join([*cells, f"{result.seconds:.1f}"])


HEAD = ("data | model | candidates | recall@20 of plain cosine | chosen | recall x | weighted at 0.5 x | at 1 x "
"| against dot | centred cosine | whitening | all-but-the-top | most popular | co-counts | raw columns | EASE "
"| cpu seconds")  # fmt: skip


def targets(results: list[Result]) -> list[str]:
    """What was promised, and what came out."""
    n = len(results)
    if n == 0:
        return ["no pairs"]
    base = "plain cosine"
    worse = {m: sum(r.verdict(base, m) == "worse" for r in results) for m in EXPONENTS}
    below = {m: sum(r.against[base][m][0] < 0.98 for r in results) for m in EXPONENTS}
    better = sum(r.verdict(base) == "better" for r in results)
    median = {m: float(np.median([r.against[base][m][0] for r in results])) for m in EXPONENTS}
    own = [all(r.verdict(name) != "worse" for name in ("raw columns (cosine)", "EASE")) for r in results]
    beyond = [all(r.verdict(name) == "better" for name in ("raw columns (cosine)", "EASE")) for r in results]
    dot = {m: sum("dot" in r.against and r.verdict("dot", m) == "worse" for r in results) for m in ("gain", "plain")}
    told = [r for r in results if r.expected and not r.mode.startswith("discovery")]  # whose gain is another one
    gains = [r.against[base]["gain"] for r in told]
    held = sum(r.expected[1] <= gain[2] and gain[1] <= r.expected[2] for r, gain in zip(told, gains, strict=True))
    each = " / ".join
    return [
        f"significantly worse than plain cosine at 0 / 0.5 / 1: {each(str(worse[m]) for m in EXPONENTS)} of {n}",
        f"more than 2 % below it: {each(str(below[m]) for m in EXPONENTS)}",
        f"significantly better (geometric mean of recall and at 0.5): {better} of {n} ({better / n:.0%})",
        f"median {each(f'x{median[m]:.2f}' for m in EXPONENTS)}",
        f"at least level with raw-column cosine and EASE: {sum(own)} of {n}, significantly better: {sum(beyond)}",
        f"significantly below the model's own dot product: geometric mean {dot['gain']}, recall {dot['plain']} of {n}",
        f"the told range of the gain meets that of the reporting users: {held} of {len(told)}",
    ]


def kind_of(data: str) -> str:
    if data in LATER:
        return "sets split by time"
    return "sets kept out of all decisions" if data in UNTOUCHED else "sets looked at"


def summary_of(results: list[Result]) -> dict[str, list[str]]:
    """The promises for each kind of data set and each way to choose; what was not run is left out."""
    groups = {
        f"{kind}, {mode}": [r for r in results if r.mode == mode and kind_of(r.data) == kind]
        for kind in ("sets looked at", "sets kept out of all decisions", "sets split by time")
        for mode in MODES
    }
    return {name: targets(group) for name, group in groups.items() if group}


def write(results: list[Result], others: list[dict[str, Any]], out: Path) -> None:
    """evidence.md to read, evidence.json for the pages."""
    summary = summary_of(results)
    table = [HEAD, "|".join(["---"] * len(HEAD.split("|"))), *map(line, results)]
    text = "\n".join(f"| {row} |" for row in table)
    for name, lines in summary.items():
        text += f"\n\n{name}:\n\n" + "\n".join(f"- {entry}" for entry in lines)
    if others:
        rows = [" | ".join(others[0]), "|".join(["---"] * len(others[0]))]
        rows += [" | ".join(map(str, row.values())) for row in others]
        text += "\n\n" + "\n".join(f"| {row} |" for row in rows)
    out.mkdir(parents=True, exist_ok=True)
    (out / "evidence.md").write_text(text + "\n", encoding="utf-8")
    numbers = {"results": [r._asdict() for r in results], "others": others, "targets": summary}
    (out / "evidence.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default=";".join(SETS))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--no-others", action="store_true", help="leave out judgements and labels")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(HEAD)
    results = behaviour(args.sets.split(";"), args.models.split(","))
    others = [] if args.no_others else other_evidence()
    for name, lines in summary_of(results).items():
        print(f"\n{name}:", *lines, sep="\n- ")
    if args.out:
        write(results, others, args.out)


if __name__ == "__main__":
    main()
