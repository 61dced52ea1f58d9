"""Reports on taggers, on models that write, on language models; and what there is no report on."""

import json
import math
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import sacrebleu
import seqeval.metrics
import tensorflow as tf
from seqeval.scheme import IOB2

from tests import corpus
from tests.zoo.models.toy_captioner import ToyCaptioner
from zoo.models import LanguageModel
from zoo.models.language_model import END_ID, next_word
from zoo.reports.measuring import measure_tagger
from zoo.reports.tagging import entity_scores, tagging_report
from zoo.reports.writing import writing_report
from zoo.text.tags import to_iobes
from zoo.text.vocabulary import WordVocabulary

TYPES = ["LOC", "MISC", "ORG", "PER"]
GOLD = [
    ["B-PER", "I-PER", "O", "B-LOC"],
    ["B-ORG", "B-ORG", "O"],
    [],
    ["O", "B-PER"],
]
FOUND = [
    ["B-PER", "O", "O", "B-LOC"],  # half of a name is none
    ["B-ORG", "I-ORG", "O"],
    [],
    ["B-LOC", "B-PER"],
]


def test_entities_are_counted_as_seqeval_counts_them():
    report = tagging_report(GOLD, FOUND, TYPES)
    expected = seqeval.metrics.classification_report(
        GOLD, FOUND, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
    )
    assert report.classes["LOC"] == pytest.approx(tuple(expected["LOC"].values()))
    assert report.classes["LOC"] == (0.5, 1, pytest.approx(2 / 3), 1)
    assert report.classes["MISC"] == (0, 0, 0, 0)
    assert report.micro == (2 / 5, 2 / 5, pytest.approx(2 / 5), 5)
    for average in ("micro", "macro", "weighted"):
        assert report.average(average) == pytest.approx(tuple(expected[f"{average} avg"].values()))
    assert report.signature.startswith("seqeval|mode:strict|scheme:IOB2|average:micro|v:1.")
    assert str(report).splitlines()[0] == "4 rows, 9 tokens, 5 entities, F1 0.400"
    assert report.to_dict() == json.loads(json.dumps(report.to_dict()))


def test_no_entity_at_all_is_a_report_too():
    report = tagging_report([["O", "O"], []], [["O", "O"], []], TYPES)
    assert report.micro == (0, 0, 0, 0)
    assert list(report.classes) == TYPES
    assert entity_scores([["O"]], [["B-PER"]])["classes"]["PER"]["support"] == 0


def test_the_figure_of_a_tagger_has_its_types(tmp_path):
    figure = tagging_report(GOLD, FOUND, TYPES).plot(tmp_path / "report.pdf")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == TYPES


@pytest.mark.parametrize("scheme", [list, to_iobes])
def test_a_tagger_is_measured_on_the_tokens_that_are_given(scheme):
    model = corpus.tiny_ner()
    tokens = [[f"Ann{place}" for place, _ in enumerate(row)] for row in GOLD]
    report = model.evaluate_report(tokens, [scheme(row) for row in GOLD])
    assert report == tagging_report(GOLD, model.tag_tokens(tokens), TYPES)
    # Whatever the model answers is what is counted.
    answered = SimpleNamespace(tag_tokens=lambda tokens: FOUND, types=TYPES)
    columns = model.raw_columns(tokens, GOLD)
    assert measure_tagger(answered, columns, 64, False) == tagging_report(GOLD, FOUND, TYPES)
    with pytest.raises(ValueError, match=r"Received: tags\[0\]\[0\]='B-DOG'"):
        model.evaluate_report([["Rex"]], [["B-DOG"]])


REFERENCES = ["Ein Mann läuft im Park.", "Zwei Hunde spielen im Schnee.", "Ja"]
HYPOTHESES = ["Ein Mann rennt im Park.", "Zwei Hunde spielen im Schnee.", ""]


def test_texts_are_scored_as_sacrebleu_scores_them():
    report = writing_report(HYPOTHESES, REFERENCES, 5, "13a")
    bleu = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES])
    assert report.bleu.score == pytest.approx(bleu.score)
    assert report.brevity_penalty == pytest.approx(bleu.bp)
    assert bleu.bp < 1
    assert report.length_ratio == pytest.approx(bleu.sys_len / bleu.ref_len)
    assert report.chrf.score == pytest.approx(sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score)
    assert report.exact == 1 / 3
    assert "tok:13a" in report.bleu.signature
    assert "tok:char" in writing_report(HYPOTHESES, REFERENCES, 5, "char").bleu.signature
    assert report.bleu.signature in str(report)
    with pytest.raises(ValueError, match=r"must be one of .*13a.*tokenize='14a'"):
        writing_report(HYPOTHESES, REFERENCES, 5, "14a")
    with pytest.raises(ValueError, match="no classes to draw"):
        report.plot()


def test_whatever_writes_is_measured_by_its_verb(tokenizer):
    keras.utils.set_random_seed(1)
    model = ToyCaptioner(tokenizer)
    images = np.random.default_rng(0).integers(0, 255, [3, 6, 6])
    report = model.evaluate_report(images, REFERENCES, beam_size=2)
    written = model.caption(images, beam_size=2)
    assert report == writing_report(written, REFERENCES, 2, "13a")
    assert model.evaluate_report(images, written, beam_size=2).exact == 1
    assert model.evaluate_report(images, REFERENCES).figures["beam_size"] == 5


def test_perplexity_is_that_of_each_word_over_the_whole_vocabulary():
    keras.utils.set_random_seed(1)
    model = LanguageModel(WordVocabulary(["a", "b", "c"]), embedding_units=4, units=5, negatives=4)
    texts = ["a b zebra", "", "c", *["b a"] * 9]
    report = model.evaluate_report(texts)
    losses = []
    for text in texts:
        ids = model.ids_of(tf.constant([text]))
        end = tf.constant([[END_ID]])
        row = tf.concat([ids.to_tensor(), end], 1) if text else end
        inputs, targets = next_word(row, tf.constant([row.shape[1]]))
        scores = tf.nn.log_softmax(model.scores(model(inputs)))
        losses += [-float(scores[i, target]) for i, target in enumerate(targets.numpy())]
    assert report.words == len(losses) == 3 + 1 + 18
    assert report.perplexity == pytest.approx(math.exp(np.mean(losses)), rel=1e-4)
    assert report.unknown == pytest.approx(1 / 22)
    assert "perplexity" in report._repr_html_()
    with pytest.raises(ValueError, match="no word to predict"):
        model.evaluate_report(["", " "])


def test_a_model_of_another_kind_is_told_what_to_give(monkeypatch):
    model = corpus.tiny_sentiment()
    monkeypatch.setattr(type(model), "task", "rank")
    with pytest.raises(NotImplementedError, match="TextClassifier a method `evaluate_report`"):
        model.evaluate_report(["good"], ["positive"])


@pytest.mark.parametrize(
    ("library", "count"),
    [
        ("seqeval.metrics", lambda: entity_scores(GOLD, FOUND)),
        ("sacrebleu.metrics", lambda: writing_report(HYPOTHESES, REFERENCES, 5, "13a")),
    ],
)
def test_a_missing_library_is_told_with_its_extra(monkeypatch, library, count):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r'pip install "rnn-zoo\[training\]"'):
        count()
