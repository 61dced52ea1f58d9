"""BLEU: Moses's tokenisation, known scores, buckets by source length, bad input."""

import math

import pytest

from zoo.reports.bleu import cased_bleu, chrf
from zoo.training.metrics.bleu import (
    bleu_by_source_length,
    lowercased_tokenised_bleu,
    moses_lowercase_normalise_tokenise,
)

RAW = ["Ein Mann, der läuft, lacht.", "Zwei Hunde spielen im Schnee."]
TOKENISED = ["ein mann , der läuft , lacht .", "zwei hunde spielen im schnee ."]


@pytest.mark.parametrize(
    ("raw", "tokenised"),
    [
        ("Ein „Hund“, der bellt.", "ein &quot; hund &quot; , der bellt ."),
        ("ÄÖÜ – Straße 3.5", "äöü - straße 3.5"),
        # The quotation's end and the full stop change places at the end of a line, as in Moses.
        ("Ein Schild: „Tee.“", "ein schild : &quot; tee &quot; ."),
        ("Ein T-Shirt & mehr", "ein t-shirt &amp; mehr"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_raw_sentence_takes_the_form_of_the_official_files(raw, tokenised):
    assert moses_lowercase_normalise_tokenise(raw) == tokenised


def test_the_language_is_the_tokenisers():
    assert moses_lowercase_normalise_tokenise("It's a dog.", "en") == "it &apos;s a dog ."


def test_perfect_translations_score_100_and_the_signatures_say_what_was_counted():
    tokenised, cased, characters = (
        lowercased_tokenised_bleu(RAW, TOKENISED),
        cased_bleu(RAW, RAW),
        chrf(RAW, RAW),
    )
    assert [s.score for s in (tokenised, cased, characters)] == pytest.approx([100, 100, 100])
    assert "case:lc" in tokenised.signature
    assert "tok:none" in tokenised.signature
    assert "case:mixed" in cased.signature
    assert "tok:13a" in cased.signature
    assert "nc:6" in characters.signature


def test_case_counts_in_the_cased_figures_only():
    lowered = [line.lower() for line in RAW]
    assert lowercased_tokenised_bleu(lowered, TOKENISED).score == pytest.approx(100)
    assert cased_bleu(lowered, RAW).score < 90
    assert chrf(lowered, RAW).score < 99


def test_bleu_is_papinenis_formula():
    # 10 tokens, 9 of them right: n-gram precisions 9/10, 8/9, 7/8, 6/7; no brevity penalty.
    reference = "a b c d e f g h i j"
    expected = 100 * math.prod([9 / 10, 8 / 9, 7 / 8, 6 / 7]) ** 0.25
    score = lowercased_tokenised_bleu(["a b c d e f g h i x"], [reference]).score
    assert score == pytest.approx(expected)
    # 8 tokens, all right: only the brevity penalty exp(1 - 10/8).
    score = lowercased_tokenised_bleu(["a b c d e f g h"], [reference]).score
    assert score == pytest.approx(100 * math.exp(1 - 10 / 8))


def test_buckets_by_source_length_count_each_sentence_once():
    sources = ["one two", "one two three", "a b c d e f g", "a b"]
    hypotheses = [RAW[0], RAW[1], RAW[0], "Falsch."]
    references = [TOKENISED[0], TOKENISED[1], TOKENISED[1], TOKENISED[0]]
    buckets = bleu_by_source_length(sources, hypotheses, references, edges=(3, 4, 6))
    assert [(b["from"], b["to"], b["sentences"]) for b in buckets] == [
        (0, 2, 2),
        (3, 3, 1),
        (4, 5, 0),
        (6, None, 1),
    ]
    assert buckets[1]["bleu"] == pytest.approx(100)
    assert buckets[2]["bleu"] is buckets[2]["mean_words"] is None
    expected = lowercased_tokenised_bleu([hypotheses[0], hypotheses[3]], [references[0]] * 2).score
    assert buckets[0]["bleu"] == pytest.approx(expected)
    assert [buckets[i]["mean_words"] for i in (0, 1, 3)] == [2, 3, 7]


def test_empty_translations_score_zero_instead_of_failing():
    assert lowercased_tokenised_bleu(["", " "], TOKENISED).score == 0


@pytest.mark.parametrize("metric", [lowercased_tokenised_bleu, cased_bleu, chrf])
def test_bad_input_is_named(metric):
    with pytest.raises(ValueError, match="1 lines and 2 hypotheses"):
        metric(RAW, TOKENISED[:1])
    with pytest.raises(ValueError, match="nothing to score"):
        metric([], [])
    with pytest.raises(TypeError, match=r"`hypotheses` must be a list of strings\. Received"):
        metric("Hallo", TOKENISED)
    with pytest.raises(TypeError, match=r"strings only\. Received: b'Hallo' \(bytes\)"):
        metric([b"Hallo", "Welt"], TOKENISED)


@pytest.mark.parametrize("edges", [(), (3, 3), (5, 2), (0, 4)])
def test_edges_that_do_not_rise_are_refused(edges):
    with pytest.raises(ValueError, match="`edges` must be word counts"):
        bleu_by_source_length(["a", "b"], RAW, TOKENISED, edges=edges)


def test_the_sources_must_match_too():
    with pytest.raises(ValueError, match="`sources` must have one line"):
        bleu_by_source_length(["a"], RAW, TOKENISED)
