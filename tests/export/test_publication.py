"""Version directories: what may be published, and what is left behind when it fails."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from zoo.export.publication import Publication, published

REPOSITORY = Path(__file__).parents[2]


def publish(base, version=None, content="model"):
    with Publication(base, version) as publication:
        (publication.folder / "assets").mkdir()
        (publication.folder / "assets" / "file").write_text(content)
        return publication.publish()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_version_is_1_and_the_next_one_higher(tmp_path):
    base = tmp_path / "models" / "nmt"
    assert publish(base) == base / "1"
    assert publish(base, np.int64(12)) == base / "12"
    assert publish(base) == base / "13"
    assert names(base) == ["1", "12", "13"]


def test_counts_versions_as_tensorflow_serving_does(tmp_path):
    for name in ("1", "007", "9.tmp", "v10", "-11", "1_2", "٣", str(2**63)):
        (tmp_path / name).mkdir()
    assert published(tmp_path) == [1, 7]
    with pytest.raises(FileExistsError, match="version 7 exists"):
        Publication(tmp_path, 7)


def test_after_the_highest_version_there_is_no_next_one(tmp_path):
    (tmp_path / str(2**63 - 1)).mkdir()
    with pytest.raises(ValueError, match=r"2\*\*63 - 1"):
        Publication(tmp_path)


def test_a_version_is_invisible_until_published(tmp_path):
    with Publication(tmp_path) as publication:
        assert published(tmp_path) == []
        assert publication.folder.parent == tmp_path
        publication.publish()
    assert published(tmp_path) == [1]


def test_a_server_of_another_user_can_read_it(tmp_path):
    old = os.umask(0o022)
    try:
        assert publish(tmp_path).stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(old)


@pytest.mark.parametrize("version", [0, -1, 2**63])
def test_a_version_out_of_range_is_told(tmp_path, version):
    with pytest.raises(ValueError, match=f"version must be from 1.*version={version}"):
        Publication(tmp_path, version)


@pytest.mark.parametrize("version", [True, "2", 1.0, [3]])
def test_a_version_that_is_no_whole_number_is_told(tmp_path, version):
    with pytest.raises(TypeError, match=r"whole number or None\. Received: version="):
        Publication(tmp_path, version)


def test_an_existing_version_is_told_before_any_work(tmp_path):
    publish(tmp_path, 3, "old")
    with pytest.raises(FileExistsError, match=r"version 3 exists .* version=4, or version=None"):
        Publication(tmp_path, 3)
    assert (tmp_path / "3" / "assets" / "file").read_text() == "old"


def test_a_version_published_meanwhile_is_not_overwritten(tmp_path):
    with Publication(tmp_path, 3) as publication:
        publish(tmp_path, 3, "theirs")
        with pytest.raises(FileExistsError, match="version 3 exists"):
            publication.publish()
    assert (tmp_path / "3" / "assets" / "file").read_text() == "theirs"
    assert names(tmp_path) == ["3"]


def test_a_free_choice_of_version_gives_way_to_others(tmp_path):
    with Publication(tmp_path) as first, Publication(tmp_path) as second:
        assert second.publish().name == "1"
        assert first.publish().name == "2"


def test_a_rename_that_loses_the_race_takes_the_next_version(tmp_path, monkeypatch):
    real, lost = os.rename, []

    def rename(source, target):
        if not lost:
            lost.append(target)
            (target / "theirs").mkdir(parents=True)  # published between the look and the rename
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    assert publish(tmp_path).name == "2"
    assert names(tmp_path / "1") == ["theirs"]


def test_a_base_that_is_a_file_is_told(tmp_path):
    (tmp_path / "base").write_text("")
    with pytest.raises(NotADirectoryError, match="not a file"):
        Publication(tmp_path / "base")


def test_a_url_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"local directory.*gs://bucket/nmt"):
        Publication("gs://bucket/nmt")


def test_a_read_only_base_is_told():
    # As another user: nothing is read-only for root.
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(PermissionError, match=base), Publication(base):
                pass
        finally:
            os.seteuid(user)
        assert names(Path(base)) == []


def test_an_interrupt_leaves_nothing_behind(tmp_path):
    def interrupted():
        with Publication(tmp_path / "models" / "nmt") as publication:
            (publication.folder / "saved_model.pb").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == []


def test_a_failure_keeps_a_base_that_was_there(tmp_path):
    publish(tmp_path)
    with pytest.raises(RuntimeError), Publication(tmp_path):
        raise RuntimeError
    assert names(tmp_path) == ["1"]


def test_what_a_killed_export_left_is_removed_by_the_next_and_only_then(tmp_path):
    script = (
        "import sys, time; from zoo.export.publication import Publication\n"
        "with Publication(sys.argv[1]) as p:\n"
        "    (p.folder / 'half').write_text('x'); print(p.folder, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        theirs = Path(process.stdout.readline().strip())
        publish(tmp_path)
        assert names(theirs) == ["half"]  # still at work: not touched
        process.send_signal(signal.SIGKILL)
    assert theirs.exists()
    publish(tmp_path)
    assert names(tmp_path) == ["1", "2"]
