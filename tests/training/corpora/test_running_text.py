"""Running text: read word by word, line ends kept, and refused when it is not the published one."""

import gzip

import numpy as np
import pytest

from tests.training.recipes.made_up_ptb import LINES, write_ptb
from zoo.training.corpora import running_text
from zoo.training.corpora.running_text import (
    RunningText,
    digest,
    digest_of_lines,
    frequent_words,
    load_ptb,
    load_wikitext2,
    stream,
)


def test_lines_are_read_packed_or_not(tmp_path):
    plain, packed = write_ptb(tmp_path / "plain"), write_ptb(tmp_path / "packed", pack=True)
    text = load_ptb(plain, "train", verify=False)
    assert text == load_ptb(packed, "train", verify=False)
    assert text.lines == LINES["train"]
    assert text.tokens == sum(len(line) + 1 for line in LINES["train"])


def test_a_stream_has_the_ends_of_lines_and_unknown_words():
    text = RunningText([["b", "a", "<unk>"], [], ["b", "c"]])
    words = frequent_words(text)
    assert words == ["b", "a", "c"]
    assert frequent_words(text, 1) == ["b"]
    np.testing.assert_array_equal(stream(text, words), [2, 3, 1, 0, 0, 2, 4, 0])
    np.testing.assert_array_equal(stream(text, ["a"]), [1, 2, 1, 0, 0, 1, 1, 0])


def test_the_order_of_lines_is_part_of_one_digest_only():
    text, turned = RunningText([["a"], ["b", "c"]]), RunningText([["b", "c"], ["a"]])
    assert digest(text) != digest(turned)
    assert digest_of_lines(text) == digest_of_lines(turned) != digest_of_lines(RunningText([["a"]]))


def test_other_words_than_the_published_are_refused(tmp_path, monkeypatch):
    folder = write_ptb(tmp_path)
    with pytest.raises(ValueError, match=r"ptb\.valid\.txt \(\d+ words\) is not the published"):
        load_ptb(folder, "validation")
    text = load_ptb(folder, "validation", verify=False)
    monkeypatch.setitem(running_text.PTB.digests, "validation", digest(text))
    assert load_ptb(folder, "validation") == text
    (tmp_path / "wiki.test.tokens").write_text("a b\n")
    with pytest.raises(ValueError, match="split 'test' of WikiText-2 are not known here"):
        load_wikitext2(tmp_path, "test")


def test_what_is_missing_or_damaged_is_told(tmp_path):
    for folder in (tmp_path, None):
        with pytest.raises(FileNotFoundError, match=r"ptb\.train\.txt or .*not downloaded"):
            load_ptb(folder)
    with pytest.raises(ValueError, match=r"`split` must be one of train.*split='dev'"):
        load_ptb(tmp_path, "dev")
    (tmp_path / "ptb.train.txt").write_text(" \n\n")
    with pytest.raises(ValueError, match="has no word in it"):
        load_ptb(tmp_path)
    (tmp_path / "ptb.train.txt").write_bytes(gzip.compress(b"a b\n" * 99)[:-9])
    with pytest.raises(ValueError, match=r"ptb\.train\.txt is damaged"):
        load_ptb(tmp_path)
