"""What the documentation says is checked: its code runs, its commands exist, its files are there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

import simgauge
from simgauge.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = {command.name or command.callback.__name__: command.callback for command in app.registered_commands}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_in_the_readme_runs(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[number], "README.md", "exec"), {})
    assert capsys.readouterr().out


def shown_commands():
    """Commands of README and documentation: in indented lines, in cells of bash, and inline."""
    found = {}
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = re.findall(r"^(?: {4})?(simgauge [a-z].*)$", text, flags=re.M)
        inline = [code for code in re.findall(r"`(simgauge [a-z][^`]*)`", text) if "|" not in code]
        for line in lines + inline:
            found.setdefault(re.split(r" # | [12]?> ", line)[0].strip(), page.name)
    return list(found)


@pytest.mark.parametrize("line", shown_commands())
def test_commands_that_pages_show_exist_with_these_options(line):
    words = shlex.split(line)[1:]
    assert words[0] in COMMANDS
    import typer.main

    known = {option for p in typer.main.get_command(app).commands[words[0]].params for option in p.opts}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= known | {"--help"}


def test_every_command_is_shown_somewhere():
    """Beside the reference, which is made from the commands."""
    shown = {shlex.split(line)[1] for line in shown_commands()}
    assert set(COMMANDS) <= shown, f"{sorted(set(COMMANDS) - shown)}"


def bench_script(name):
    specification = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", bench_script("tables").TABLES)
def test_every_table_of_measurements_can_be_made(name):
    assert bench_script("tables").TABLES[name]().count("\n") > 1


def test_tables_in_the_readme_are_those_of_the_stored_rows():
    assert bench_script("tables").filled(README) == README
    changed = README.replace("*The Stupids*", "*Another Film*")
    assert bench_script("tables").filled(changed) == README  # control: another table is put right


def test_numbers_in_the_readme_are_those_of_the_stored_rows():
    rows = json.loads((ROOT / "bench" / "results" / "similar_films.json").read_text(encoding="utf-8"))
    rare = rows["films of the lists that at most two users like"]
    said = re.search(
        r"beside the\s+(\d+)\s+films .*?, (\d+) % are .*?, and ([\d.]+) % in the second", README, flags=re.S
    )
    assert (int(said[1]), int(said[2]), float(said[3])) == (
        rare["films"],
        round(100 * rare["as trained"]),
        round(100 * rare["projected"], 1),
    )
    assert rows["largest difference of a prediction, relative"] < 1e-14  # "to fourteen digits"


def test_the_page_on_limits_counts_the_reference_tables():
    tables = json.loads((ROOT / "src" / "simgauge" / "auditing" / "reference.json").read_text(encoding="utf-8"))
    kinds = {table["kind"] for table in tables}
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    assert f"on {len(tables)} real embeddings of {len(kinds)} kinds" in page


def test_the_stored_films_are_what_the_model_lists(shared_data, monkeypatch):
    """The first list of each gauge, fitted anew."""
    monkeypatch.setenv("SIMGAUGE_TEST_DATA", str(shared_data))
    script = bench_script("similar_films")
    stored = json.loads(script.STORED.read_text(encoding="utf-8"))
    data = script.likes()
    model = simgauge.LinearAutoencoder(n_components=script.N_COMPONENTS).fit(data.matrix).embedding(data)
    row = model.find_items([script.FILMS[0]])
    for name, gauge in script.gauges_of(model).items():
        listed = data.item_names[simgauge.top_k(gauge.items, script.LISTED, rows=row)[0][0]]
        assert [script.spoken(title) for title in listed] == [film["title"] for film in stored["films"][0][name]]


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://arxiv.org") or (ROOT / target).exists(), f"{target}"


def test_every_public_function_of_the_package_has_an_example():
    for name in simgauge.__all__:
        thing = getattr(simgauge, name)
        if callable(thing) and not (isinstance(thing, type) and issubclass(thing, (Exception, Warning))):
            doc = thing.__doc__ or ""
            assert ">>>" in doc or isinstance(thing, type), f"{name}"


def test_every_public_name_has_its_place_in_the_reference():
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference" / "api").glob("*.md"))
    documented = set(re.findall(r"^\.\. auto\w+:: (simgauge\.[\w.]+)$", pages, flags=re.M))
    public = {f"simgauge.{name}" for name in simgauge.__all__}
    for module in simgauge._SUBMODULES:
        public |= {f"simgauge.{module}.{name}" for name in getattr(simgauge, module).__all__}
    assert public <= documented, f"{sorted(public - documented)}"


def test_nothing_of_this_machine_and_no_unfinished_work_is_in_the_source():
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError|/home/|/root/|/work/")
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("bench/*.py"), *ROOT.glob("scripts/*.py"), *ROOT.glob("*.md")]:
        assert not marks.search(path.read_text(encoding="utf-8")), f"{path}"


def pages():
    places = ("src/**/*.py", "bench/*.py", "scripts/*.py", "*.md", "bench/*.md", "docs/**/*.md", "paper/*.md")
    return [path for place in places for path in ROOT.glob(place)]


def test_scripts_results_and_pages_that_are_named_exist():
    """Also after files were renamed: a page that names a script is a promise that it runs."""
    named = re.compile(r"(?<![\w./-])((?:bench|scripts|docs|tests|src)/[\w/.-]+\.(?:py|md|jsonl?|toml))\b")
    read = re.compile(r'read\("([\w.]+)"\)')
    missing = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        missing += [f"{page.name}: {path}" for path in named.findall(text) if not (ROOT / path).exists()]
        if page.name == "tables.py":
            missing += [name for name in read.findall(text) if not (ROOT / "bench" / "results" / name).is_file()]
    assert not missing, "\n".join(missing)
