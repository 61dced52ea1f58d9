"""Files and folders that are there whole or not at all, whatever stops the writing."""

import os

import pytest

from zoo.files import remove_partial, whole_folder, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill(folder, content):
    (folder / "inner").mkdir()
    (folder / "inner" / "file").write_text(content)


def fail_at(monkeypatch, call):
    """The `call`-th rename fails, as on a disk that just became full."""
    rename, calls = os.replace, []

    def replace(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            raise OSError(28, "No space left on device")
        return rename(*arguments)

    monkeypatch.setattr(os, "replace", replace)


def test_a_file_is_replaced_and_can_be_read_by_others(tmp_path):
    path = tmp_path / "file"
    for content in (b"old", b"new"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch, call, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(type(error)):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_file_needs_its_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "none" / "file", b"")


def test_a_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "parent" / "folder"
    with whole_folder(path) as partial:
        fill(partial, "new")
        assert not path.exists()
        assert partial.parent == path.parent
    assert (path / "inner" / "file").read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o755
    assert names(path.parent) == ["folder"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_exists_is_not_replaced_unasked(tmp_path, kind):
    path = tmp_path / "target"
    path.mkdir() if kind == "folder" else path.write_text("old")
    with pytest.raises(FileExistsError, match=r"overwrite=True\. Received"), whole_folder(path):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["target"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "of old").write_text("")
    with whole_folder(path, overwrite=True) as partial:
        fill(partial, "new")
        assert names(path) == ["of old"]
    assert names(path) == ["inner"]
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("exists", [True, False])
def test_an_error_within_the_block_changes_nothing(tmp_path, error, exists):
    path = tmp_path / "folder"
    if exists:
        path.mkdir()
        fill(path, "old")

    def fill_and_fail():
        with whole_folder(path, overwrite=True) as partial:
            fill(partial, "new")
            raise error

    with pytest.raises(error):
        fill_and_fail()
    assert names(tmp_path) == (["folder"] if exists else [])
    assert not exists or (path / "inner" / "file").read_text() == "old"


@pytest.mark.parametrize("call", [1, 2])
def test_a_rename_that_fails_brings_the_old_folder_back(tmp_path, monkeypatch, call):
    path = tmp_path / "folder"
    path.mkdir()
    fill(path, "old")
    fail_at(monkeypatch, call)
    with pytest.raises(OSError, match="No space"), whole_folder(path, overwrite=True) as partial:
        fill(partial, "new")
    assert (path / "inner" / "file").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_only_what_a_kill_left_beside_a_path_is_removed(tmp_path):
    for name in (".run[1].abc", "run[1]", ".run[1]", "run[1].abc", ".run1.abc"):
        (tmp_path / name).mkdir()
    fill(tmp_path / ".run[1].abc", "half")
    (tmp_path / ".run[1].file").write_text("half")
    remove_partial(tmp_path / "run[1]")
    assert names(tmp_path) == [".run1.abc", ".run[1]", "run[1]", "run[1].abc"]
    remove_partial(tmp_path / "not there" / "run")


def test_a_folder_moved_away_by_a_killed_replacement_comes_back(tmp_path):
    old = tmp_path / ".run.abc" / "run"
    old.mkdir(parents=True)
    (old / "best").write_text("so far")
    (tmp_path / ".run.def").mkdir()
    remove_partial(tmp_path / "run")
    assert (tmp_path / "run" / "best").read_text() == "so far"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
