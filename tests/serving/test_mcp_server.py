"""The server, asked by the client of the official SDK: in this process, and as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.serving.mcp_server import NAMES, mcp_server
from simgauge.shipping.export import export

mcp = pytest.importorskip("mcp")


@pytest.fixture
def served(tmp_path, rng):
    root = tmp_path / "served"
    model = Embedding(rng.normal(size=(40, 4)), rng.normal(size=(30, 4)), item_ids=[f"i{row}" for row in range(40)])
    model.save(root / "model")
    Embedding(2 * model.items, item_ids=model.item_ids).save(root / "other")
    export(model, f"parquet:{root / 'v.parquet'}")
    export(model, f"duckdb:{root / 'v.db'}")
    np.save(tmp_path / "secret.npy", model.items)
    return root


def asked(server, *calls):
    """Results of some calls of tools, in one session; the names of the tools come first."""

    async def session():
        async with mcp.Client(server) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(asyncio.wait_for(session(), 120))


CALLS = [
    ("audit", {"items": "model", "k": 5}, ["audit", "model", "-k", "5"]),
    ("neighbors", {"embedding": "model", "items": ["i3"], "k": 3, "compare": True},
     ["neighbors", "model", "i3", "-k", "3", "--compare"]),
    ("compare", {"first": "model", "second": "other", "k": 5}, ["compare", "model", "other", "-k", "5"]),
    ("check", {"target": "parquet:v.parquet", "k": 5}, ["check", "parquet:v.parquet", "-k", "5"]),
    ("check", {"target": "duckdb:v.db", "k": 5}, ["check", "duckdb:v.db", "-k", "5"]),
]  # fmt: skip


def test_every_tool_gives_the_json_of_its_command(served, monkeypatch, capsys):
    from simgauge import cli

    before = {path: path.read_bytes() for path in served.rglob("*") if path.is_file()}
    tools, results = asked(mcp_server(served), *[(name, given) for name, given, _ in CALLS])
    assert {tool.name for tool in tools} == set(NAMES)
    assert all(tool.annotations.read_only_hint and not tool.annotations.open_world_hint for tool in tools)
    assert {path: path.read_bytes() for path in served.rglob("*") if path.is_file()} == before, "nothing is written"
    monkeypatch.chdir(served)
    for (name, _, command), result in zip(CALLS, results, strict=True):
        assert not result.is_error, f"{result.content}"
        monkeypatch.setattr(sys, "argv", ["simgauge", *command, "--json"])
        with pytest.raises(SystemExit):
            cli.main()
        printed = json.loads(capsys.readouterr().out)
        assert result.structured_content == json.loads(result.content[0].text) == printed, f"{name}"


REFUSED = [
    ("audit", {"items": "../secret.npy"}),
    ("audit", {"items": "model", "users": "../secret.npy"}),
    ("neighbors", {"embedding": "*/vectors.safetensors", "items": ["i1"]}),
    ("neighbors", {"embedding": "model", "items": ["nobody"]}),
    ("compare", {"first": "model", "second": "model/vectors.safetensors:items"}),
    ("check", {"target": "duckdb:../served/v.db"}),
    ("check", {"target": "postgresql://localhost/db"}),
    ("check", {"target": "qdrant:http://localhost:6333"}),
    ("check", {"target": "lancedb:v"}),
    ("check", {"target": "v.parquet"}),
    ("audit", {"items": "model", "k": 0}),
    ("audit", {}),
    ("fix", {"items": "model"}),
]


def test_what_is_refused_is_an_error_of_the_tool_in_one_line(served):
    _, results = asked(mcp_server(served), *REFUSED)
    for call, result in zip(REFUSED, results, strict=True):
        assert result.is_error, f"{call}"
        text = result.content[0].text
        assert str(served) not in text
        assert "Traceback" not in text
        assert call[1] == {} or "\n" not in text


def test_a_view_in_a_database_leads_to_no_other_file(served, tmp_path):
    import duckdb

    (tmp_path / "secret.csv").write_text("id,a,b\n1,1.0,2.0\n2,2.0,1.0\n3,0.5,1.0\n")
    rows = f"SELECT id, [a, b]::FLOAT[2] AS vector FROM read_csv('{tmp_path / 'secret.csv'}')"
    with duckdb.connect(str(served / "evil.db")) as base:
        base.execute(f"CREATE VIEW items AS {rows}")
        base.execute(f"CREATE TABLE plain AS {rows}")
        base.execute("CREATE VIEW own AS SELECT * FROM plain")
    outcomes = {}
    for table in ("items", "plain", "own"):
        _, (result,) = asked(mcp_server(served), ("check", {"target": "duckdb:evil.db", "table": table}))
        outcomes[table] = result.is_error
    assert outcomes["items"]
    assert not outcomes["plain"], "control: the same rows in the file itself"


def test_an_index_with_lists_in_another_file_is_refused_and_that_file_stays_closed(served, tmp_path, rng):
    faiss = pytest.importorskip("faiss")
    table = rng.normal(size=(100, 4)).astype(np.float32)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(4), 4, 2, faiss.METRIC_INNER_PRODUCT)
    index.train(table)
    index.add(table)
    faiss.write_index(index, str(served / "held.faiss"))
    lists = faiss.OnDiskInvertedLists(2, index.code_size, str(tmp_path / "lists.bin"))
    other = faiss.IndexIVFFlat(index.quantizer, 4, 2, faiss.METRIC_INNER_PRODUCT)
    other.replace_invlists(lists)
    other.add(table)
    faiss.write_index(other, str(served / "evil.faiss"))
    (served / "empty.faiss").touch()
    calls = [("check", {"target": f"faiss:{name}.faiss"}) for name in ("held", "evil", "empty")]
    _, (held, evil, empty, read) = asked(mcp_server(served), *calls, ("audit", {"items": "evil.faiss"}))
    assert not held.is_error, "control: the same vectors with lists in the file itself"
    for refused in (evil, read):
        assert "keeps its lists in another file" in refused.content[0].text
    assert "empty.faiss is empty" in empty.content[0].text


def test_a_process_of_its_own_over_standard_input(served):
    environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "PATH": os.environ["PATH"]}
    own = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "simgauge", "mcp", "--root", str(served)], env=environment
    )
    _, results = asked(own, ("check", {"target": "parquet:v.parquet"}), ("audit", {"items": "/etc/passwd"}))
    assert [result.is_error for result in results] == [False, True]
    assert results[0].structured_content["verdict"] == "ok"
