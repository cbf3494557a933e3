"""Every way out of the root that we know of is closed, and what lies inside is read."""

from __future__ import annotations

import os
import socket
import sqlite3

import h5py
import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.serving.root import Root


@pytest.fixture
def root(tmp_path, rng):
    inside, outside = tmp_path / "served", tmp_path / "secret"
    for folder in (inside / "sub", outside):
        folder.mkdir(parents=True)
    table = rng.normal(size=(20, 3))
    for path in (inside / "v.npy", inside / "sub" / "w.npy", outside / "s.npy", tmp_path / "served2.npy"):
        np.save(path, table)
    Embedding(table).save(inside / "saved")
    Embedding(table).save(outside / "saved")
    (inside / "link.npy").symlink_to(outside / "s.npy")
    (inside / "own.npy").symlink_to(inside / "v.npy")
    (inside / "folder").symlink_to(outside)
    return Root(inside)


@pytest.mark.parametrize("text", ["v.npy", "sub/w.npy", "./v.npy", "saved", "own.npy"])
def test_what_lies_inside_is_read(root, text):
    assert root.vectors(text).startswith(str(root.directory))
    assert root.vectors(str(root.directory / text)) == root.vectors(text)


@pytest.mark.parametrize(
    "text",
    [
        "../secret/s.npy", "sub/../../secret/s.npy", "sub/../v.npy", "..", "link.npy", "folder/s.npy", "folder/saved",
        "*.npy", "../*/s.npy", "[v].npy", "v.np?", "v.npy:v", "v.npy:../secret/s.npy", "sqlite:///x.db",
        "http://localhost/v.npy", "s3://bucket/v.npy", "postgresql://h/db", "file:v.npy", "~/v.npy", "~root/v.npy", "",
        " ", "v\0.npy", "/etc/passwd", "/", "none.npy", "v.npy/", "sub",
    ],
)  # fmt: skip
def test_what_leads_elsewhere_is_refused(root, text):
    if text == "v.npy/":
        assert root.vectors(text) == root.vectors("v.npy")
        return
    refused = "is not there|cannot be asked for|is a directory|is a link"
    with pytest.raises(InputError, match=refused):
        root.vectors(text)
    with pytest.raises(InputError, match=refused):
        root.vectors(str(root.directory / "..") + "/secret/s.npy")


def test_a_folder_whose_name_begins_like_the_root_lies_outside(root):
    with pytest.raises(InputError, match="outside"):
        root.vectors(f"{root.directory}2.npy")


def test_what_is_missing_and_what_lies_outside_get_one_answer(root):
    answers = []
    for text in ("folder/none.npy", "folder/s.npy"):
        with pytest.raises(InputError) as told:
            root.vectors(text)
        answers.append(str(told.value).replace(text, ""))
    assert answers[0].replace("'", "") == answers[1].replace("'", "")


def test_pipes_sockets_and_devices_are_refused_without_waiting(root):
    os.mkfifo(root.directory / "pipe.npy")
    with socket.socket(socket.AF_UNIX) as own:
        here = os.open(root.directory, os.O_RDONLY)
        own.bind(f"/proc/self/fd/{here}/socket.npy")
        os.close(here)
        for name in ("pipe.npy", "socket.npy"):
            with pytest.raises(InputError, match="pipe"):
                root.vectors(name)
    (root.directory / "null.npy").symlink_to("/dev/null")
    with pytest.raises(InputError, match="outside"):
        root.vectors("null.npy")


def test_a_saved_embedding_with_a_link_in_it_is_not_read(root):
    vectors = root.directory / "saved" / "vectors.safetensors"
    vectors.rename(root.directory / "elsewhere")
    vectors.symlink_to(root.directory / "elsewhere")
    with pytest.raises(InputError, match="no plain file"):
        root.vectors("saved")


def test_files_that_can_name_other_files_are_refused_by_their_content(root):
    with h5py.File(root.directory / "v.bin", "w") as file:
        file["items"] = h5py.ExternalLink("../secret/s.h5", "items")
    base = sqlite3.connect(root.directory / "base.txt")
    base.execute("CREATE TABLE items (id, a, b)")
    base.commit()
    base.close()
    for name, content in (("v.bin", "HDF5"), ("base.txt", "SQLite")):
        with pytest.raises(InputError, match=content):
            root.vectors(name)


def test_a_card_beside_a_file_is_not_followed_elsewhere(root):
    assert root.with_companions("v.npy").name == "v.npy"
    (root.directory / "v.npy.json").symlink_to(root.directory.parent / "secret" / "s.npy")
    with pytest.raises(InputError, match="is a link"):
        root.with_companions("v.npy")
    with pytest.raises(InputError, match="directory"):
        root.with_companions("sub")


def test_the_root_itself(tmp_path):
    with pytest.raises(InputError, match="no such directory"):
        Root(tmp_path / "none")
    (tmp_path / "a[1]").mkdir()
    with pytest.raises(InputError, match="signs"):
        Root(tmp_path / "a[1]")
