"""Tables of `bench/README.md`, made from the JSON rows in `bench/results`.

    python bench/tables.py            # prints them
    python bench/tables.py --write    # puts them into bench/README.md and README.md, between the marks that name them

Of repeated measurements the fastest counts, for every method alike; its spread is the slowest beside it.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Rows = list[dict[str, Any]]


def read(name: str) -> Rows:
    path = HERE / "results" / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def fastest(rows: Rows, *keys: str) -> list[dict[str, Any]]:
    """One row for every combination of keys: the fastest, with the slowest beside it."""
    groups: dict[Any, Rows] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    result = []
    for group in groups.values():
        good = [row for row in group if "seconds" in row]
        best = min(good, key=lambda row: row["seconds"]) if good else group[0]
        result.append({**best, "slowest": max((row["seconds"] for row in good), default=None), "runs": len(group)})
    return result


def table(head: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    names = list(head)
    shown = [[_text(cell) for cell in line] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in [names, ["---"] * len(names), *shown])


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.1e}" if 0 < abs(cell) < 0.01 else f"{cell:.3g}" if abs(cell) < 100 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) and cell >= 10_000 else str(cell)


def fits() -> str:
    rows = fastest(read("spectrum.jsonl"), "problem", "method", "omp_num_threads")
    base = {(row["problem"], row["omp_num_threads"]): row["seconds"] for row in rows if row["method"] == "ours"}
    lines = []
    for row in rows:
        if "seconds" not in row:
            lines.append([row["problem"], row["method"], row["omp_num_threads"], row.get("error"), *[None] * 5])
            continue
        ours = base.get((row["problem"], row["omp_num_threads"]))
        seconds = f"{row['seconds']:.2f}" + (f" to {row['slowest']:.2f}" if row["runs"] > 1 else "")
        ratio = row["seconds"] / ours if ours and row["method"] != "ours" else None
        lines.append(
            [
                row["problem"],
                row["method"],
                row["omp_num_threads"],
                seconds,
                ratio,
                row["cpu_seconds"],
                row["peak_mib"],
                row.get("residual_max"),
                row.get("limit_seconds") or None,
            ]
        )
    return table(
        ["problem", "method", "threads", "seconds", "x ours", "cpu s", "MiB beyond X", "residual", "limit, s"], lines
    )


def paths() -> str:
    rows = fastest(read("path.jsonl"), "method")
    one = next((row["seconds"] for row in rows if row["method"] == "one"), None)
    lines = (
        [row["method"], row["models_or_steps"], row["seconds"], row["seconds"] / one if one else None] for row in rows
    )
    return table(["what", "models or steps", "seconds", "x one model"], lines)


def canonical() -> str:
    rows = fastest(read("canonical_form.jsonl"), "method", "rows", "components")
    base = next((row["seconds"] for row in rows if row["method"] == "limit"), None)
    lines = ([row["method"], row["seconds"], row["seconds"] / base if base else None, row["peak_mib"]] for row in rows)
    return table(["what", "seconds", "x limit", "MiB beyond the tables"], lines)


def neighbors() -> str:
    rows = fastest(read("topk.jsonl"), "method", "table", "components", "omp_num_threads")
    lines = (
        [f"{row.get('table')} x {row.get('components')}", row["method"], row["omp_num_threads"], row.get("seconds"),
         row.get("cpu_seconds"), row.get("peak_mib"), row.get("recall")]
        for row in rows
    )  # fmt: skip
    return table(["table", "method", "threads", "seconds", "cpu s", "MiB", "recall"], lines)


def audits() -> str:
    rows = read("audit_memory.jsonl")
    lines = (
        [row["method"], f"{row['rows']:,} x {row['columns']}", row["gigabytes"], row["limit_mib"],
         row.get("seconds"), row.get("anonymous_mib"), row.get("error")]
        for row in rows
    )  # fmt: skip
    return table(["what", "table", "GB", "limit, MiB", "seconds", "private MiB at the end", "error"], lines)


def exports() -> str:
    rows = fastest(read("stores.jsonl"), "target", "method", "rows", "components")
    lines = (
        [row["target"], f"{row['rows']:,} x {row['components']}", row["method"], row.get("seconds"),
         row.get("cpu_seconds"), row.get("peak_mib"), row.get("rows_found")]
        for row in rows
    )  # fmt: skip
    return table(["target", "table", "method", "seconds", "cpu s", "MiB", "rows found"], lines)


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def _span(found: dict[str, float] | None) -> str | None:
    if found is None:
        return None
    value, low, high = (f"{found[name]:.1%}" for name in ("value", "low", "high"))
    return value if low == high else f"{value} [{low}, {high}]"


def weeks() -> str:
    lines = []
    for row in (row for row in read("align.jsonl") if row["what"] == "weeks"):
        told = [row["data"], row["model"].upper(), row["method"], row["gauge"]]
        if "refused" in row:
            lines.append([*told, "refused: the map cannot be undone", *[None] * 5])
            continue
        pairs = [(row["as_trained"][name], row["aligned"][name]) for name in ("itself_first", "lists_kept")]
        shares = [_share(share) for pair in pairs for share in pair]
        lines.append([*told, *shares, _share(row["own_lists_kept"]), row["condition_number"]])
    first, kept = "itself first as trained", "lists kept as trained"
    return table(
        ["data", "model", "method", "gauge", first, "aligned", kept, "aligned", "own lists kept", "cond(H)"], lines
    )


def seeds() -> str:
    lines = []
    for row in read("align.jsonl"):
        if row["what"] == "seeds":
            for measure in row["measures"]:
                shares = (_span(measure[name]) for name in ("same_data", "across", "data_only"))
                lines.append([row["data"], row["model"].upper(), measure["name"], *shares])
    return table(["data", "model", "lists", "other seed", "other seed and data", "by the data"], lines)


def encoders() -> str:
    lines = []
    for row in read("align.jsonl"):
        if row["what"] == "encoders":
            for one in row["rows"]:
                chosen = " (chosen)" if one["way"] == row["method"] else ""
                lines.append([row["data"], f"{row['new']} into {row['old']}", one["way"] + chosen,
                              _span(one["old_lists"]), _span(one["new_lists"])])  # fmt: skip
    return table(["texts", "new into old", "queries", "old encoder's lists found", "new encoder's lists found"], lines)


def gates() -> str:
    """Outcomes of the gate, over all corpora of a kind."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row in read("gate.jsonl"):
        names = {"seed": "another seed", "sample": "another seed, 95 % of the data"}
        what = names.get(row.get("trainings", ""), row.get("fault"))
        for kind in (row["kind"], "all"):
            total = groups.setdefault((what, kind), [0, 0, 0, 0])
            for place, key in enumerate(("gates", "worse", "inconclusive", "tenth")):
                total[place] += row.get(key, 0)
    kinds = [kind for kind in dict.fromkeys(kind for _, kind in groups) if kind != "all"]
    lines = []
    for what in dict.fromkeys(what for what, _ in groups):
        cells = []
        for kind in ("all", *kinds):
            count, worse, *_ = groups.get((what, kind), [0, 0])
            cells.append(f"{worse / count:.1%} of {count}" if count else None)
        count, _, undecided, tenth = groups[what, "all"]
        lines.append([what, *cells, f"{undecided / count:.1%}", f"{tenth / count:.1%}" if tenth else None])
    return table(["what happened", "called worse", *kinds, "inconclusive", "worse by a tenth of the value"], lines)


def stored(name: str) -> Any:
    return json.loads((HERE / "results" / name).read_text(encoding="utf-8"))


def similar_films() -> str:
    """The first film of bench/similar_films.py: both lists, with the number of users that like each film."""
    found = stored("similar_films.json")
    film = found["films"][0]
    lines = (
        [f"*{left['title']}*", left["likes"], f"*{right['title']}*", right["likes"]]
        for left, right in zip(film["as trained"], film["projected"], strict=True)
    )
    return table(["as trained", "liked by", "projected back, users centred", "liked by"], lines)


def more_films() -> str:
    """All films of bench/similar_films.py, a row each."""
    films = stored("similar_films.json")["films"]
    return table(
        ["similar to", "as trained", "projected back, users centred"],
        ([film["film"], *("; ".join(entry["title"] for entry in film[name]) for name in ("as trained", "projected"))]
         for film in films),
    )  # fmt: skip


def choices() -> str:
    """What `fix` chose in bench/evidence.py, and what became of users that had no part in the choice."""
    lines = []
    for row in stored("evidence.json")["results"]:
        against = row["against"]["plain cosine"]
        three = (against[name] for name in ("plain", "at 0.5", "at 1"))
        shown = [f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in three]
        lines.append([row["data"], row["model"], row["mode"], f"{row['recall']:.3f}", f"`{row['best']}`", *shown])
    weighted = ("weighted by 1/√popularity x", "by 1/popularity x")
    head = ["data", "model", "candidates", "recall@20 of cosine", "choice", "recall x", *weighted]
    return table(head, lines)


def choices_in_short() -> str:
    """The promises of bench/evidence.py, a list for each kind of data set."""
    kinds = stored("evidence.json")["targets"]
    return "\n\n".join(f"**{kind[0].upper()}{kind[1:]}**\n\n" + "\n".join(f"- {line}" for line in lines)
                       for kind, lines in kinds.items())  # fmt: skip


def claims() -> str:
    """How often `fix` claims what is not so, from bench/claims.py."""
    lines = [[row["what"], row["meant"], f"{row['found']:.1%}", row["repeats"]] for row in read("claims.jsonl")]
    return table(["what", "meant", "found", "repeats"], lines)


def networks() -> str:
    """Free places that bench/deep.py found."""
    rows = [row for row in read("deep.jsonl") if "bases" in row]
    head = ["network", "parameters", "bases", "scales", "free factors", "outputs moved by, relative", "cpu s"]
    return table(
        head,
        ([row["network"], f"{row['parameters']:,}", row["bases"], row["scales"], f"{row['free_factors']:,}",
          row["verified"], row["cpu_seconds"]] for row in rows),
    )  # fmt: skip


def readings() -> str:
    """What bench/deep.py found at single points of networks."""
    rows = [row for row in read("deep.jsonl") if "read_at" in row]
    return table(
        ["network", "read at", "status", "neighbours that stay", "mean change of a cosine"],
        ([row["network"], f"`{row['read_at']}`", row["status"], f"{row['overlap']:.0%}", f"{row['shift']:.3f}"]
         for row in rows),
    )  # fmt: skip


def trained_on_cosines() -> str:
    """Medians over seeds of bench/cosine_training.py, and the gain of the chosen model over each other one."""
    rows, gains = read("cosine_training.jsonl"), {}
    for row in rows:
        if "cosine beside" in row:
            gains[row["data"], row["cosine beside"]] = f"{row['gain']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    groups: dict[Any, Rows] = {}
    for row in rows:
        if "model" in row:
            groups.setdefault((row["data"], row["model"]), []).append(row)
    keys = ("recall", "items_recall", "items_weighted", "cpu_seconds")
    lines = [
        [*group, *(f"{statistics.median(row[key] for row in found):.3g}" for key in keys), gains.get(group, "")]
        for group, found in groups.items()
    ]
    head = ["data", "model", "recall@20 of users", "of items", "of items, weighted", "cpu s", "gain of `cosine`, users"]
    return table(head, lines)


TABLES: dict[str, Callable[[], str]] = {
    "trained-on-cosines": trained_on_cosines,
    "networks": networks,
    "readings": readings,
    "fits": fits,
    "paths": paths,
    "canonical": canonical,
    "neighbors": neighbors,
    "audits": audits,
    "exports": exports,
    "weeks": weeks,
    "seeds": seeds,
    "encoders": encoders,
    "gates": gates,
    "similar-films": similar_films,
    "more-films": more_films,
    "choices": choices,
    "choices-in-short": choices_in_short,
    "claims": claims,
}


PAGES = (HERE / "README.md", HERE.parent / "README.md")


def filled(page: str) -> str:
    """A page with the tables between its marks as they are now."""
    for name, make in TABLES.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        page = mark.sub(lambda found: f"{found[1]}\n{make()}\n\n{found[2]}", page)  # noqa: B023
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    for name, make in TABLES.items():
        print(f"\n{name}\n\n{make()}")
    for page in PAGES if options.write else ():
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
