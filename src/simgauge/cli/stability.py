"""simgauge stability: what several trainings of one model share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli import options

if TYPE_CHECKING:
    from simgauge.shipping.stable import Stability


@options.reads_vectors
def stability(
    models: Annotated[
        list[str], typer.Argument(help="Two or more trainings on the same data with other seeds; three for intervals.")
    ],
    later: Annotated[
        list[str] | None,
        typer.Option("--later", help="A training on later data; repeat it for each, two or more."),
    ] = None,
    users: Annotated[
        list[str] | None,
        typer.Option(help="Users of a model, if in a file of their own; repeat it in the order of the models."),
    ] = None,
    ids: options.Ids = None,
    user_ids: options.UserIds = None,
    names: options.Names = None,
    power: Annotated[float, typer.Option(help="α of the canonical gauge.")] = 1.0,
    center: Annotated[str, typer.Option(help="none, items, users or both.")] = "none",
    k: Annotated[int, typer.Option("-k", help="Neighbours per list.")] = 10,
    sample: Annotated[int, typer.Option(help="Items, and users, whose lists are compared, at most.")] = 2_000,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Say how much trainings of one model agree, and what of their difference is the gauge, the seed or the data."""
    from simgauge.cli import console
    from simgauge.errors import ParameterError
    from simgauge.shipping.stability import stability as run_stability

    places = [*models, *(later or ())]
    none: list[str | None] = [None] * len(places)
    if users and len(users) != len(places):
        raise ParameterError(f"--users: {len(users)} files for {len(places)} models: pass one for each, or none.")
    with console.warnings_as_notes(), console.progress(not json) as show:
        given = [
            options.load_embedding(place, own, ids, names, user_ids, reading, json)
            for place, own in zip(places, users or none, strict=True)
        ]
        found = run_stability(
            given[: len(models)],
            given[len(models) :],
            power=power,
            center=center,  # type: ignore[arg-type]
            k=k,
            sample=sample,
            rng=seed,
            progress=show,
        )
    if json:
        console.print_json({**found.to_dict(), "sources": [options.sources(model) for model in given]})
        return
    _print(found)


def _print(found: Stability) -> None:
    from simgauge.cli import console
    from simgauge.shipping.stable import MEANINGS

    page = console.out()
    page.print(found.summary, markup=False, soft_wrap=True)
    columns = ["lists", "#same data", *(["#earlier and later", "#changed by the data"] if found.n_models[1] else [])]
    rows = [
        [
            MEANINGS[measure.name],
            *(
                console.with_interval(share, "{:.1%}")
                for share in (measure.same_data, measure.across, measure.data_only)
                if share is not None
            ),
        ]
        for measure in found.measures
    ]
    page.print(console.table("", columns, rows))
    named = ", ".join(f"{name} ({share:.0%})" for name, share in found.unstable)
    page.print(f"\nLeast stable on the same data (share of the list that two trainings share): {named}",
               markup=False, soft_wrap=True)  # fmt: skip
    if found.moved_by_data:
        moved = ", ".join(f"{name} ({same:.0%}, then {across:.0%})" for name, same, across in found.moved_by_data)
        page.print(f"Changed most by the data (on the same data, then across): {moved}", markup=False, soft_wrap=True)
    for note in found.notes:
        page.print(note, markup=False, soft_wrap=True)
