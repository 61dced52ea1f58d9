"""Metrics of captions: known values, both ways to count, bad input."""

import functools
import math
import shutil

import pytest

from zoo.training.metrics.captions import as_xu, bleu_4, coco_scores, words_of

REFERENCES = [
    ["A black dog runs through the snow.", "The dog is running in deep snow"],
    ["Two men play football.", "Two men are playing a game .", "Men playing football outside."],
    ["A child climbs the stairs", "A girl's climbing up some stairs ."],
]
CAPTIONS = ["a black dog runs through snow", "two men are playing football", "a girl is climbing"]


def test_words_are_what_is_compared():
    assert words_of(["A Dog's ball!", "", "T-shirts ; two"]) == [
        "a dog 's ball",
        "",
        "t-shirts two",
    ]


def test_the_words_of_a_reference_score_all_there_is():
    same = [references[0].upper() for references in REFERENCES]
    assert bleu_4(same, REFERENCES) == pytest.approx(100)
    assert as_xu(same, REFERENCES) == pytest.approx(dict.fromkeys(as_xu(same, REFERENCES), 100))
    assert bleu_4(["zebra"] * 3, REFERENCES) == 0


def test_xus_count_has_no_brevity_penalty():
    short = ["a black dog", "two men", "a child climbs"]
    scores = as_xu(short, REFERENCES)
    assert scores["bleu_1"] == pytest.approx(100)
    assert scores["bleu_2"] == pytest.approx(100)
    longer = ["a black dog", "two men zebra", "a child"]
    assert as_xu(longer, REFERENCES)["bleu_1"] == pytest.approx(100 * 7 / 8)


def test_bleu_4_is_counted_by_hand():
    caption, references = ["a dog runs in the snow"], [["a dog runs in snow today"]]
    precisions = [5 / 6, 3 / 5, 2 / 4, 1 / 3]
    expected = 100 * math.prod(precisions) ** 0.25
    assert bleu_4(caption, references) == pytest.approx(expected)
    assert as_xu(caption, references)["bleu_4"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("captions", "references", "error", "message"),
    [
        ("a dog", [["a dog"]], TypeError, "`captions` must be a list"),
        (["a dog"], [], ValueError, "0 lists and 1 captions"),
        ([], [], ValueError, "nothing to score"),
        (["a dog"], ["a dog"], ValueError, r"Received: references\[0\]='a dog'"),
        (["a dog", "a"], [["a dog"], []], ValueError, r"references\[1\]=\[\]"),
        ([3], [["a dog"]], TypeError, "`captions` must hold strings only"),
    ],
)
@pytest.mark.parametrize("metric", [bleu_4, as_xu, coco_scores])
def test_bad_input(metric, captions, references, error, message):
    with pytest.raises(error, match=message):
        metric(captions, references)


@pytest.fixture(scope="module")
def coco():
    pytest.importorskip("pycocoevalcap", reason="the extra `captions`")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    return functools.cache(lambda captions: coco_scores(captions, REFERENCES))  # METEOR is slow


def test_coco_counts_what_the_library_counts(coco):
    scores = coco(tuple(CAPTIONS))
    assert list(scores) == ["bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "cider", "rouge_l"]
    # What the Penn Treebank tokeniser leaves is what `words_of` leaves, so BLEU agrees.
    assert scores["bleu_4"] == pytest.approx(bleu_4(CAPTIONS, REFERENCES), abs=0.01)
    assert 0 < scores["meteor"] < 100
    assert 0 < scores["rouge_l"] < 100
    assert 0 < scores["cider"] < 10


def test_an_empty_caption_keeps_its_place(coco):
    scores, whole = coco(("", *CAPTIONS[1:])), coco(tuple(CAPTIONS))
    assert all(0 < scores[name] < whole[name] for name in scores)


def test_without_java_it_is_said(monkeypatch):
    pytest.importorskip("pycocoevalcap", reason="the extra `captions`")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="need Java 8 or later"):
        coco_scores(CAPTIONS, REFERENCES)
