"""Files of every format, changed at random, are read: nothing but errors made for people, or content, may come of it.

``python tests/fuzz.py --files 100000`` (or ``make fuzz``). File number i is the same in every run with one seed. Each
is read in a worker that may not take more than some memory and time; a worker that dies or hangs is replaced. Outcomes:

- refused: InputError or ParameterError;
- unchanged: the content of the valid file;
- changed: other content, where no checksum of the format covers the change;
- unseen: other content although a checksum covers all of it;
- traceback: any other exception; memory: more than 500 MB; hang: more than a minute; crash: the process died.

The first three are right, the others are faults.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from fuzz_files import Seed, make_seeds

OUTCOMES = ("not read", "refused", "unchanged", "changed", "unseen", "traceback", "memory", "hang", "crash")
RIGHT = {"refused", "unchanged", "changed"}
MOST_BYTES = 500_000_000
SECONDS = 60
NUMBERS = [0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**64 - 1]
WORDS = [b"", b"nan", b"inf", b"-1", b"1e999", b"99999999999999999999", b'"', b"\x00", b"\xff\xfe", b"\n\n", b"\r",
         b",,,,", b"[[[[", b"{", b"::", b"\xe2\x80\xae", b"\x1b[2J", b"9" * 400, b"\t"]  # fmt: skip


def changed(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """The content after one to three random changes, half of them near its ends, where headers are."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        size = len(data)
        if not size:
            break
        span = size if rng.random() < 0.5 else min(size, 160)
        place = rng.randrange(span) if rng.random() < 0.6 else size - 1 - rng.randrange(span)
        kind = rng.randrange(10)
        if kind <= 2:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 3:
            data[place] = rng.randrange(256)
        elif kind == 4:
            width = rng.choice((1, 2, 4, 8))
            data[place : place + width] = (rng.choice(NUMBERS) % 256**width).to_bytes(
                width, rng.choice(("little", "big"))
            )
        elif kind == 5:
            del data[place : size if rng.random() < 0.5 else place + rng.randrange(1, 40)]
        elif kind == 6:
            stop = place + rng.randrange(1, 60)
            data[place:place] = data[place:stop] * rng.choice((1, 1, 2, 50))
        elif kind == 7:
            data[place : place + rng.randrange(0, 6)] = rng.choice(WORDS)
        elif kind == 8:
            data[place:place] = rng.randbytes(rng.randrange(1, 20))
        else:
            other = rng.choice(others)
            start = rng.randrange(max(1, len(other)))
            data[place : place + rng.randrange(0, 30)] = other[start : start + rng.randrange(1, 60)]
    return bytes(data)


def outcome(seed: Seed, place: Path, expected: str) -> tuple[str, str]:
    """What reading the changed file gave, and the traceback where that is a fault."""
    from simgauge.errors import InputError, ParameterError

    try:
        found = seed.read(place)
    except (InputError, ParameterError):
        return "refused", ""
    except Exception:
        return "traceback", traceback.format_exc()
    if found == expected:
        return "unchanged", ""
    return ("unseen", "") if seed.checked else ("changed", "")


def peak_of(action: object) -> int:
    """Bytes by which memory grew at the peak while `action` ran; resident memory, as the system counts it."""
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    action()  # type: ignore[operator]
    return _status("VmHWM") - before


def _status(name: str) -> int:
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(name))


def work(seeds: list[Seed], numbers: range, run: int, results: mmap.mmap, place: Path, log: Path) -> None:
    """Read the changed files of these numbers; each outcome is a byte of `results`, with the number at the start."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    expected = [seed.read(seed.folder) for seed in seeds]
    contents = [seed.content for seed in seeds]
    resource.setrlimit(resource.RLIMIT_DATA, (_status("VmData") + (3 << 30),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for folder in {seed.folder for seed in seeds}:
        shutil.copytree(folder, place / folder.name, dirs_exist_ok=True)
    for number in numbers:
        rng = random.Random(f"{run}:{number}")
        which = rng.randrange(len(seeds))
        seed, target = seeds[which], place / seeds[which].folder.name
        results[:8] = number.to_bytes(8, "little")
        (target / seed.file).write_bytes(changed(contents[which], rng, contents))
        found = [("crash", "")]
        grown = peak_of(lambda t=target, s=seed, w=which, f=found: f.append(outcome(s, t, expected[w])))
        word, text = ("memory", f"{grown:,} bytes") if grown > MOST_BYTES else found[-1]
        results[8 + number] = OUTCOMES.index(word)
        if word not in RIGHT:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"number": number, "seed": seed.name, "outcome": word, "text": text}) + "\n")
        (target / seed.file).write_bytes(contents[which])
    results[:8] = (2**63).to_bytes(8, "little")


def fuzz(
    n_files: int, run: int, n_workers: int, folder: Path, only: str = ""
) -> tuple[Counter[str], list[dict[str, str]]]:
    """Read so many changed files; counts of the outcomes, and the faults."""
    (folder / "seeds").mkdir()
    seeds = make_seeds(folder / "seeds", only)
    log = folder / "faults.jsonl"
    log.touch()
    boards = [mmap.mmap(-1, 8 + n_files) for _ in range(n_workers)]
    running: dict[int, tuple[int, int]] = {}  # worker -> process, first number

    def start(worker: int, first: int) -> None:
        place = folder / f"worker{worker}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        boards[worker][:8] = first.to_bytes(8, "little")
        child = os.fork()
        if child == 0:
            try:
                work(seeds, range(first, n_files, n_workers), run, boards[worker], place, log)
                os._exit(0)
            except BaseException:
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"outcome": "fuzzer", "text": traceback.format_exc()}) + "\n")
                os._exit(1)
        running[worker] = (child, first)

    for worker in range(min(n_workers, n_files)):
        start(worker, worker)
    seen = {worker: (0, time.monotonic()) for worker in running}
    while running:
        time.sleep(0.2)
        for worker, (child, _) in list(running.items()):
            number = int.from_bytes(boards[worker][:8], "little")
            if number != seen[worker][0]:
                seen[worker] = (number, time.monotonic())
            ended = os.waitpid(child, os.WNOHANG)[0]
            word = "crash"
            if not ended and time.monotonic() - seen[worker][1] > SECONDS:
                os.kill(child, 9)
                os.waitpid(child, 0)
                ended, word = child, "hang"
            if ended:
                del running[worker]
                if number < n_files:
                    boards[worker][8 + number] = OUTCOMES.index(word)
                    name = seeds[random.Random(f"{run}:{number}").randrange(len(seeds))].name
                    with log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"number": number, "seed": name, "outcome": word, "text": ""}) + "\n")
                    if number + n_workers < n_files:
                        start(worker, number + n_workers)
    counts: Counter[str] = Counter()
    for number in range(n_files):
        counts[OUTCOMES[boards[number % n_workers][8 + number]]] += 1
    return counts, [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Read changed files and print counts; the exit code is 1 when anything but a right outcome was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="part of the name of formats of simgauge or of no library")
    parser.add_argument("--keep", type=Path, help="write the list of faults there")
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts, faults = fuzz(options.files, options.seed, options.workers, Path(folder), options.only)
    if options.keep:
        options.keep.write_text("".join(json.dumps(fault) + "\n" for fault in faults), encoding="utf-8")
    print(json.dumps({"files": options.files, "seconds": round(time.monotonic() - start), **counts}))
    kinds = Counter((str(fault.get("seed")), fault["outcome"], fault["text"].strip()[-200:]) for fault in faults)
    for (name, word, text), count in kinds.most_common(60):
        print(f"{count} x {name}: {word} {text!r}")
    sys.exit(1 if faults or set(counts) - RIGHT else 0)


if __name__ == "__main__":
    main()
