"""simgauge demo: the main job on the shipped data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simgauge.cli import options


def demo(
    out: Annotated[Path, typer.Option(help="Directory for report.html and audit.json.")] = Path("demo-report"),
    k: Annotated[int, typer.Option("-k", help="Neighbours shown.")] = 10,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Fit, gauge, audit and report on shipped real data: which names do Python files use together?"""
    from simgauge.cli import console
    from simgauge.cli.audit_text import print_audit
    from simgauge.cli.neighbors_text import print_comparison
    from simgauge.demo import demo as run_demo
    from simgauge.demo import write_demo

    with console.warnings_as_notes(), console.progress(not json) as show:
        result = run_demo(k=k, rng=seed, progress=show)
        report, numbers = write_demo(result, out)
    if json:
        console.print_json({**result.to_dict(), "report": str(report), "audit_json": str(numbers)})
        return
    page = console.out()
    page.print(
        f"{result.sizes['n_files']:,} Python files, {result.sizes['n_names']:,} names they use. One model is fitted "
        "once; only the gauge of its vectors differs below.\n"
    )
    print_comparison(result.comparison)
    rows = [
        [row["gauge"], f"{row['recall']:.3f}", f"{row['interval'][0]:.3f} to {row['interval'][1]:.3f}"]
        for row in result.recall["gauges"]
    ]
    page.print()
    page.print(console.table("Held-out recall of the same model", ["gauge", "#recall@20", "95 % interval"], rows))
    page.print()
    print_audit(result.audit, more=f"{report} has them all")
    page.print(f"\nWrote {report} (open it in a browser) and {numbers}", markup=False)
