"""What is written is there as a whole or not at all; what is not ours stays; what a killed run left is cleaned up."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from simgauge.errors import InputError, KeptFilesWarning
from simgauge.storage import atomic, places
from simgauge.storage.atomic import OwnNames, atomic_directory, atomic_file, write_text
from simgauge.storage.places import COMMIT, MARK, NEW, OWN, place_of, waiting_place

OURS = ("one", "two")


def ours(directory: Path) -> set[str]:
    return {name for name in OURS if (directory / name).exists()}


def write(directory: Path, own: OwnNames = ours, **files: str) -> None:
    with atomic_directory(directory, own) as new:
        for name, text in files.items():
            (new / name).write_text(text)


def contents(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(params=["exchanged", "moved in"])
def way(request, monkeypatch) -> str:
    """Both ways by which files take their places."""
    if request.param == "moved in":
        monkeypatch.setattr(atomic, "exchange", lambda *_: False)
    return request.param


def test_the_second_writing_replaces_the_first_and_removes_what_it_has_no_more(tmp_path: Path, way: str) -> None:
    write(tmp_path / "model", one="1", two="2")
    (tmp_path / "model").chmod(0o750)
    write(tmp_path / "model", one="changed")
    assert contents(tmp_path) == {"model/one": "changed"}
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o750


def test_files_of_the_user_stay_and_are_named(tmp_path: Path, way: str) -> None:
    model = tmp_path / "model"
    write(model, one="1", two="2")
    (model / "notes.md").write_text("mine")
    (model / "link").symlink_to("nowhere")
    before = (model / "notes.md").stat().st_ino
    with pytest.warns(KeptFilesWarning, match=r"did not write \('link', 'notes.md'\)"):
        write(model, one="changed")
    assert contents(tmp_path) == {"model/one": "changed", "model/notes.md": "mine"}
    assert (model / "link").readlink() == Path("nowhere")
    assert (model / "notes.md").stat().st_ino == before


def test_folders_of_the_user_stay(tmp_path: Path) -> None:
    write(tmp_path / "model", one="1")
    (tmp_path / "model" / "images").mkdir()
    (tmp_path / "model" / "images" / "a.png").write_text("mine")
    with pytest.warns(KeptFilesWarning, match="images"):
        write(tmp_path / "model", one="changed", two="2")
    assert contents(tmp_path) == {"model/one": "changed", "model/two": "2", "model/images/a.png": "mine"}


def test_a_file_of_the_user_is_not_overwritten(tmp_path: Path, way: str) -> None:
    write(tmp_path / "model", one="1")
    (tmp_path / "model" / "two").write_text("mine")
    with pytest.raises(InputError, match="holds 'two' already, not written by simgauge"):
        write(tmp_path / "model", own=lambda _: {"one"}, one="changed", two="2")
    assert contents(tmp_path) == {"model/one": "1", "model/two": "mine"}


def test_links_the_working_directory_and_relative_paths(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", one="1")
    assert (tmp_path / "link").is_symlink()
    monkeypatch.chdir(tmp_path / "real")
    here = Path().stat().st_ino
    write(Path(), one="2")
    assert Path().stat().st_ino == here == (tmp_path / "real").stat().st_ino  # a shell that stands there sees it
    write(Path("deeper/still"), one="3")
    with pytest.warns(KeptFilesWarning, match="deeper"):
        write(Path("../link"), one="4")
    (tmp_path / "dangling").symlink_to("to-be")
    write(tmp_path / "dangling", one="5")
    write_text(tmp_path / "dangling" / "two", "6")
    assert contents(tmp_path / "real") == {"one": "4", "deeper/still/one": "3"}
    assert contents(tmp_path / "to-be") == {"one": "5", "two": "6"}


def test_mounted_directories(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "model", one="1", two="2")
    before = (tmp_path / "model").stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "model")
    write(tmp_path / "model", one="changed")
    assert contents(tmp_path) == {"model/one": "changed"}
    assert (tmp_path / "model").stat().st_ino == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs rights to mount")
@pytest.mark.parametrize("kind", ["tmpfs", "bind"])
def test_directories_that_are_really_mounted(tmp_path: Path, kind: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "elsewhere").mkdir()
    how = ["-t", "tmpfs", "-o", "size=64k", "none"] if kind == "tmpfs" else ["--bind", str(tmp_path / "elsewhere")]
    mounted = subprocess.run(["mount", *how, str(tmp_path / "model")], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        write(tmp_path / "model", one="1", two="2")
        write(tmp_path / "model", one="changed")
        assert contents(tmp_path / "model") == {"one": "changed"}
        if kind == "tmpfs":
            with pytest.raises(InputError, match=r"disk of .* is full\. Nothing was left behind"):
                write(tmp_path / "model", one="x" * (1 << 20))
            assert contents(tmp_path / "model") == {"one": "changed"}
    finally:
        subprocess.run(["umount", str(tmp_path / "model")], check=True)


def test_a_full_disk_says_so_and_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "model", one="1")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"is full\. Nothing was left behind"):
        write(tmp_path / "model", one="2")
    with pytest.raises(InputError, match=r"is full\. Nothing was left behind"):
        write_text(tmp_path / "file", "text")
    with pytest.raises(InputError, match=r"is full\. Nothing was left behind"):
        write(tmp_path / "a" / "b" / "model", one="2")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["model", "one"]


def test_devices_and_pipes_are_no_places_for_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is a device, a pipe or a socket"):
        write_text(tmp_path / "pipe", "text")
    with pytest.raises(InputError, match="is a device, a pipe or a socket"):
        write_text("/dev/null", "text")
    with pytest.raises(InputError, match="is a file"):
        write(tmp_path / "pipe", one="1")


def left_over(target: Path, *, inside: bool, files: dict[str, str]) -> Path:
    """A folder as a killed run leaves it."""
    parent, name = (target, "") if inside else (target.parent, f".{target.name}")
    place = parent / f"{name}{MARK}0badcafe"
    (place / NEW).mkdir(parents=True)
    for path, text in files.items():
        (place / path).write_text(text)
    return place


def test_what_killed_runs_left_is_removed_by_the_next(tmp_path: Path) -> None:
    write(tmp_path / "model", one="1")
    left_over(tmp_path / "model", inside=False, files={f"{NEW}/one": "half"})
    left_over(tmp_path / "model", inside=True, files={f"{NEW}/one": "half"})
    (tmp_path / f".model{MARK}12345678").write_text("a temporary file")
    (tmp_path / f".model{MARK}lock").touch()
    mine = [tmp_path / f".model{MARK}notes", tmp_path / f".model{MARK}deadbeef" / "mine", tmp_path / ".model.txt"]
    mine[1].parent.mkdir()
    for path in mine:
        path.write_text("mine")
    write(tmp_path / "model", one="2")
    assert contents(tmp_path) == {"model/one": "2"} | {str(path.relative_to(tmp_path)): "mine" for path in mine}


def test_what_a_living_run_holds_is_left_alone(tmp_path: Path) -> None:
    with atomic_directory(tmp_path / "model", ours) as first:
        (first / "one").write_text("slow")
        write(tmp_path / "model", one="fast", two="fast")
        with waiting_place(tmp_path / "model") as work:
            assert first.is_dir()
            assert work.is_dir()
        assert contents(tmp_path / "model") == {"one": "fast", "two": "fast"}
    assert contents(tmp_path) == {"model/one": "slow"}  # the last one, as a whole


@pytest.mark.parametrize("done", [(), ("one",), ("two",), ("one", "two")])
def test_moves_that_were_cut_short_are_seen_through_and_finished(tmp_path: Path, done: tuple[str, ...]) -> None:
    model = tmp_path / "model"
    write(model, one="old", two="old")
    files = {f"{NEW}/{name}": "new" for name in OURS if name not in done}
    place = left_over(model, inside=True, files=files | {COMMIT: '{"move": ["one", "two"], "remove": ["stale"]}'})
    (model / "stale").write_text("old")
    for name in done:
        (model / name).write_text("new")
    assert [place_of(model / name).read_text() for name in OURS] == ["new", "new"]
    places.clean_up(model)
    assert contents(tmp_path) == {"model/one": "new", "model/two": "new"}
    assert not place.exists()


def test_moves_that_are_not_agreed_yet_do_not_count(tmp_path: Path) -> None:
    """Control of the test above."""
    write(tmp_path / "model", one="old", two="old")
    left_over(tmp_path / "model", inside=True, files={f"{NEW}/one": "new", f"{COMMIT}.part": "{"})
    assert place_of(tmp_path / "model" / "one").read_text() == "old"
    places.clean_up(tmp_path / "model")
    assert contents(tmp_path) == {"model/one": "old", "model/two": "old"}


def test_files_that_came_while_directories_were_exchanged_come_back(tmp_path: Path) -> None:
    model = tmp_path / "model"
    write(model, one="new")
    (model / "edited").write_text("before")
    number = (model / "edited").stat().st_ino
    own = f'{{"ours": ["one"], "linked": {{"edited": {number}, "kept": 1}}}}'
    left_over(
        model, inside=False, files={f"{NEW}/one": "old", f"{NEW}/late": "mine", f"{NEW}/edited": "after", OWN: own}
    )
    with pytest.warns(KeptFilesWarning):
        write(model, one="newer")
    assert contents(tmp_path) == {"model/one": "newer", "model/late": "mine", "model/edited": "after"}


def test_failures_in_between_leave_what_was_there(tmp_path: Path, way: str, monkeypatch) -> None:
    write(tmp_path / "model", one="old", two="old")
    with pytest.raises(TypeError):
        write(tmp_path / "model", one="new", two=2)  # type: ignore[arg-type]
    assert contents(tmp_path) == {"model/one": "old", "model/two": "old"}
    if way == "moved in":  # one of the moves fails: the commit counts all the same, and is finished by the next run
        real = Path.replace

        def fail(path: Path, target: Path) -> Path:
            if path.name == "two":
                raise OSError(errno.EIO, "Input/output error")
            return real(path, target)

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="Input"):
            write(tmp_path / "model", one="new", two="new")
        assert [place_of(tmp_path / "model" / name).read_text() for name in OURS] == ["new", "new"]
        monkeypatch.setattr(Path, "replace", real)
        with atomic_file(tmp_path / "model" / "other") as path:
            path.write_text("of no concern")
        write(tmp_path / "model2", one="of no concern")
        places.clean_up(tmp_path / "model")
        assert contents(tmp_path / "model") == {"one": "new", "two": "new", "other": "of no concern"}


def test_a_writer_waits_for_another_and_then_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(places, "PATIENCE", 0.2)
    program = (
        "import sys, time; from pathlib import Path; from simgauge.storage.places import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(30)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, tmp_path / "model"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another run is writing to"):
            write(tmp_path / "model", one="1")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    write(tmp_path / "model", one="1")  # a dead one holds nothing
    assert contents(tmp_path) == {"model/one": "1"}
