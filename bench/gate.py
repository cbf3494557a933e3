"""How far the values of an audit move from one training to the next, and what the gate on a baseline makes of it.

    PYTHONPATH=DIR-OF-ENCODERS OMP_NUM_THREADS=1 python bench/gate.py make  SCRATCH [kind ...]
    OMP_NUM_THREADS=1 python bench/gate.py noise SCRATCH [--write]
    OMP_NUM_THREADS=1 python bench/gate.py rates SCRATCH [--json bench/results/gate.jsonl]

`make` trains every model of `bench/reference_tables.py` that draws at random several times: with other seeds, and with
other seeds on a random 95 % of the rows of the data. It audits each training, and each of a few faults planted in it,
and keeps the audits in SCRATCH. `noise` prints, and with --write keeps in src/simgauge/auditing/noise.json, how far
each value moved between two trainings of one model. `rates` tells how often the gate called another training of the
same model worse (with the noise of all *other* corpora), and how often it found the planted faults.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import reference_tables as made
from measure import write_rows
from simgauge import Embedding, Interactions, audit
from simgauge.auditing.baseline import compare_with_baseline
from simgauge.auditing.noise import Noise, Spread
from simgauge.auditing.thresholds import load_thresholds

NOISE = Path(__file__).parents[1] / "src" / "simgauge" / "auditing" / "noise.json"
OBJECTIVES = {"als": "als", "bpr": "bpr", "lmf": "lmf", "svd": "svd", "words": "word2vec", "texts": "unit-sphere"}
SEEDS, PART = 5, 0.95
Fault = Callable[[Embedding, np.random.Generator], Embedding]


def resampled(seen: Interactions, rng: np.random.Generator) -> Interactions:
    """A random 95 % of the pairs, all items kept."""
    pairs = seen.matrix.tocoo()
    kept = rng.random(pairs.nnz) < PART
    import scipy.sparse as sp

    matrix = sp.csr_matrix((pairs.data[kept], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape)
    return Interactions(matrix, item_ids=seen.item_ids, user_ids=seen.user_ids)


def trainings(kind: str, corpus: str) -> Iterator[tuple[str, Embedding, Interactions | None]]:
    """Name, embedding and what it was trained on, for every seed and every sample."""
    if kind == "texts":
        whole = made.KINDS[kind][corpus]()
        for number in range(2 * SEEDS):
            rows = np.sort(np.random.default_rng(number).permutation(whole.n_items)[: round(PART * whole.n_items)])
            part = Embedding(np.asarray(whole.items)[rows], item_ids=whole.item_ids[rows])
            yield f"{'seed' if number < SEEDS else 'sample'}-{number}", part, None
        return
    model = {"svd": made.svd, "words": made.word2vec}.get(kind, lambda seen: made.implicit_model(kind, seen))
    data = (made.SENTENCES if kind == "words" else made.INTERACTIONS)[corpus]()
    for number in range(2 * SEEDS):
        made.SEED = number
        rng = np.random.default_rng(number)
        if number < SEEDS:
            seen = data
        elif kind == "words":
            seen = [row for row in data if rng.random() < PART]
        else:
            seen = resampled(data, rng)
        name = f"{'seed' if number < SEEDS else 'sample'}-{number}"
        yield name, model(seen), None if kind == "words" else seen


def _items(embedding: Embedding, items: Any) -> Embedding:
    return embedding.with_tables(np.asarray(items, dtype=np.asarray(embedding.items).dtype), embedding.users)


def shifted(embedding: Embedding, rng: np.random.Generator) -> Embedding:
    """One vector added to all rows, as long as their mean norm."""
    items = np.asarray(embedding.items)
    step = rng.standard_normal(items.shape[1])
    return _items(embedding, items + step / np.linalg.norm(step) * np.linalg.norm(items, axis=1).mean())


def zeroed(embedding: Embedding, rng: np.random.Generator) -> Embedding:
    """5 % of the rows are zero."""
    items = np.array(embedding.items)
    items[rng.permutation(len(items))[: len(items) // 20]] = 0
    return _items(embedding, items)


def copied(embedding: Embedding, rng: np.random.Generator) -> Embedding:
    """10 % of the rows are copies of one other row each."""
    items = np.array(embedding.items)
    rows = rng.permutation(len(items))[: 2 * (len(items) // 10)].reshape(2, -1)
    items[rows[0]] = items[rows[1]]
    return _items(embedding, items)


def regauged(embedding: Embedding, rng: np.random.Generator) -> Embedding:
    """Another gauge of condition number 10: predictions are kept, where there are users."""
    from simgauge import random_gauge

    map_ = random_gauge(embedding.n_components, 10.0, rng=rng)
    from simgauge import gauge_transform

    return gauge_transform(embedding, map_)


def collapsed(embedding: Embedding, rng: np.random.Generator) -> Embedding:  # noqa: ARG001
    """The energy of all but the first tenth of the principal axes is divided by a hundred."""
    left, s, right = np.linalg.svd(np.asarray(embedding.items, dtype=np.float64), full_matrices=False)
    s[max(1, len(s) // 10) :] /= 10
    return _items(embedding, (left * s) @ right)


def tail_lost(embedding: Embedding, rng: np.random.Generator) -> Embedding:
    """The shorter half of the rows points almost one way, as rows do that were hardly trained."""
    items = np.array(embedding.items, dtype=np.float64)
    norms = np.linalg.norm(items, axis=1)
    rows = np.argsort(norms)[: len(items) // 2]
    way = rng.standard_normal(items.shape[1])
    items[rows] = norms[rows, None] * (way / np.linalg.norm(way)) + 0.1 * items[rows]
    return _items(embedding, items)


FAULTS: dict[str, Fault] = {
    "one vector added to all rows": shifted,
    "5 % of the rows zero": zeroed,
    "10 % of the rows copies": copied,
    "another gauge, condition number 10": regauged,
    "nine tenths of the axes shrunk tenfold": collapsed,
    "half of the rows almost parallel": tail_lost,
}


def make(scratch: Path, kinds: list[str]) -> None:
    for kind in kinds or list(OBJECTIVES):
        for corpus in made.KINDS[kind]:
            if corpus.startswith("glove"):
                continue
            folder = scratch / kind / corpus
            if (folder / "done").exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            start = time.perf_counter()
            try:
                for number, (name, embedding, seen) in enumerate(trainings(kind, corpus)):
                    _audit(folder / f"{name}.json", embedding, kind, seen)
                    if name.startswith("seed") and number in (1, 2):
                        for which, fault in enumerate(FAULTS.values()):
                            spoilt = fault(embedding, np.random.default_rng(number))
                            _audit(folder / f"fault-{which}-{number}.json", spoilt, kind, seen)
            except (ImportError, OSError) as error:
                print(f"{kind}/{corpus} is left out: {error}", file=sys.stderr)
                continue
            (folder / "done").touch()
            print(f"{kind}/{corpus}: {time.perf_counter() - start:.0f} s", flush=True)


def _audit(path: Path, embedding: Embedding, kind: str, seen: Interactions | None) -> None:
    if seen is not None and len(seen.item_ids) != embedding.n_items:
        seen = seen.align(embedding.item_ids)
    k = min(10, embedding.n_items // 20)
    found = audit(embedding, OBJECTIVES[kind], interactions=seen, k=k, trust_ids=True)
    path.write_text(found.to_json(), encoding="utf-8")


Values = dict[str, list[tuple[float, int]]]
"""Of a finding, or "finding/group": values over trainings, and items of the group (0 for all)."""


def collected(scratch: Path) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """(kind, corpus) -> name of the training or fault -> audit."""
    return {
        (done.parent.parent.name, done.parent.name): {
            path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(done.parent.glob("*.json"))
        }
        for done in sorted(scratch.glob("*/*/done"))
    }


def values_of(audits: dict[str, dict[str, Any]], family: str) -> Values:
    found: Values = {}
    for name, told in audits.items():
        if name.startswith(family):
            for finding in told["findings"]:
                if finding["value"] is not None:
                    found.setdefault(finding["id"], []).append((finding["value"], 0))
            for group in told["groups"]:
                for measure in group["measures"]:
                    key = f"{measure['id']}/{group['name']}"
                    found.setdefault(key, []).append((measure["value"], group["n_items"]))
    return found


def envelope(points: list[tuple[float, float]], limits: list[float]) -> tuple[float, float]:
    """(absolute, relative) with ``hypot(absolute, relative · value)`` at or above every standard deviation, and nearest
    to them: of all corners of that kind the one with the smallest mean height, over the values that were seen and the
    limits of the finding, where it decides."""
    best = (np.inf, 0.0, 0.0)
    where = np.array([*(value for value, _ in points), *limits])
    for absolute in {0.0, *(spread for _, spread in points)}:
        needed = [(value, np.sqrt(max(spread**2 - absolute**2, 0.0))) for value, spread in points]
        if any(rest > 0 and value == 0 for value, rest in needed):
            continue
        relative = max((rest / abs(value) for value, rest in needed if rest > 0), default=0.0)
        best = min(best, (float(np.hypot(absolute, relative * where).mean()), absolute, relative))
    return best[1], best[2]


def spreads_of(corpora: list[dict[str, dict[str, Any]]]) -> dict[str, list[float]]:
    """Absolute, relative and group part of every finding, over the corpora of one kind."""
    points: dict[str, list[tuple[float, float]]] = {}
    in_groups: dict[str, list[tuple[float, float, float]]] = {}
    for audits in corpora:
        for family in ("seed", "sample"):
            for key, found in values_of(audits, family).items():
                if len(found) < 3:
                    continue
                numbers = np.array([value for value, _ in found])
                mean, spread = float(np.abs(numbers).mean()), float(numbers.std(ddof=1))
                name, _, group = key.partition("/")
                if group:
                    in_groups.setdefault(name, []).append((mean, spread, float(np.mean([n for _, n in found]))))
                else:
                    points.setdefault(name, []).append((mean, spread))
    found = {}
    for name, known in points.items():
        limit = load_thresholds().get(name)
        levels = [] if limit is None else [level for level in (limit.warn, limit.fail) if level is not None]
        absolute, relative = envelope(known, levels)
        parts = [0.0]
        for value, spread, n in in_groups.get(name, ()):
            rest = spread**2 - absolute**2 - (relative * value) ** 2
            share = min(max(value, 1 / n), 1.0)
            if rest > 0:
                parts.append(np.sqrt(rest / (max(share * (1 - share), 1 / n) / n)))
        found[name] = [float(f"{part:.3g}") for part in (absolute, relative, max(parts))]
    return found


def noise(scratch: Path, write: bool) -> None:
    by_kind: dict[str, list[dict[str, dict[str, Any]]]] = {}
    for (kind, _), audits in collected(scratch).items():
        by_kind.setdefault(kind, []).append(audits)
    table = {kind: spreads_of(corpora) for kind, corpora in sorted(by_kind.items())}
    for kind, spreads in table.items():
        print(kind, spreads)
    if write:
        rows = [f"  {json.dumps(kind)}: {{\n" + ",\n".join(f"    {json.dumps(name)}: {json.dumps(parts)}"
                for name, parts in sorted(spreads.items())) + "\n  }" for kind, spreads in table.items()]  # fmt: skip
        NOISE.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


def rates(scratch: Path) -> Iterator[dict[str, Any]]:
    """False alarms and power, corpus by corpus, with the noise that all *other* corpora of the kind give."""
    every = collected(scratch)
    for (kind, corpus), audits in every.items():
        others = [told for (one, name), told in every.items() if one == kind and name != corpus]
        if len(others) < 2:
            continue
        known = Noise(kind, {name: Spread(*parts) for name, parts in spreads_of(others).items()})
        for family in ("seed", "sample"):
            names = [name for name in audits if name.startswith(family)]
            outcomes, why, tenth = [], [], 0
            for then in names:
                for now in names:
                    if then != now:
                        found = compare_with_baseline(audits[now], audits[then], noise=known)
                        plain = compare_with_baseline(audits[now], audits[then], min_move=0.1)
                        tenth += plain.outcome == "worse"
                        outcomes.append(found.outcome)
                        why += [change.name for change in found.changes if change.outcome == "worse"]
            if outcomes:
                yield {"what": "false alarms", "kind": kind, "corpus": corpus, "trainings": family,
                       "gates": len(outcomes), "worse": outcomes.count("worse"),
                       "inconclusive": outcomes.count("inconclusive"), "tenth": tenth,
                       "by": sorted(set(why))}  # fmt: skip
        for which, fault in enumerate(FAULTS):
            outcomes, why = [], []
            for number in (1, 2):
                for then in (f"seed-{seed}" for seed in range(SEEDS) if seed != number):
                    if f"fault-{which}-{number}" not in audits:
                        continue  # `make` was stopped
                    found = compare_with_baseline(audits[f"fault-{which}-{number}"], audits[then], noise=known)
                    outcomes.append(found.outcome)
                    why += [change.name for change in found.changes if change.outcome == "worse"]
            if outcomes:
                yield {"what": "planted", "kind": kind, "corpus": corpus, "fault": fault, "gates": len(outcomes),
                   "worse": outcomes.count("worse"), "inconclusive": outcomes.count("inconclusive"),
                   "by": sorted(set(why))}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["make", "noise", "rates"])
    parser.add_argument("scratch", type=Path)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.step == "make":
        make(arguments.scratch, arguments.kinds)
    elif arguments.step == "noise":
        noise(arguments.scratch, arguments.write)
    else:
        rows = list(rates(arguments.scratch))
        for row in rows:
            print(row)
        for what in ("false alarms", "planted"):
            for name in dict.fromkeys(row.get("trainings", row.get("fault")) for row in rows if row["what"] == what):
                own = [row for row in rows if name in (row.get("trainings"), row.get("fault"))]
                gates, worse, open_ = (sum(row[key] for row in own) for key in ("gates", "worse", "inconclusive"))
                tenth = sum(row.get("tenth", 0) for row in own)
                print(f"{what}, {name}: {worse} of {gates} worse ({worse / gates:.1%}), {open_} inconclusive; "
                      f"{tenth} with a tenth of the value in place of the noise")  # fmt: skip
        write_rows(arguments.json, rows)


if __name__ == "__main__":
    main()
