"""`summary`: rows that add up, under the names of the code, with the shapes of what they give."""

import re

import pytest
import tensorflow as tf

from tests import corpus
from tests.zoo.models.test_spine import Line
from zoo.models.language_model import LanguageModel
from zoo.models.summary import named_layers, summary_rows
from zoo.text.vocabulary import WordVocabulary

MAKERS = {
    "attention": corpus.tiny_attention,
    "vanilla": corpus.tiny_vanilla,
    "classifier": lambda _: corpus.tiny_sentiment(),
    "one way": lambda _: corpus.tiny_sentiment(bidirectional=False, readout="last"),
    "tagger": lambda _: corpus.tiny_ner(trained_words=2),
    "language model": lambda _: LanguageModel(WordVocabulary(["a", "b"]), 8, 6, negatives=2),
    "numbers": lambda _: Line(),
}


def printed(model, **arguments):
    pieces = []
    model.summary(print_fn=pieces.append, line_length=100, **arguments)
    (text,) = pieces
    return text


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_rows_add_up_and_are_named_as_in_the_code(make, tokenizer):
    model = make(tokenizer)
    layers = dict(named_layers(model))
    before = [set(vars(layer)) for layer in layers.values()]
    rows = summary_rows(model)
    assert sum(row.params for row in rows) == model.count_params() > 0
    for row in rows:
        if row.layer is not None:
            assert getattr(model, row.name) is row.layer
    text = printed(model)
    assert f"Total params: {model.count_params():,} (" in text
    shown = re.findall(r"│ (\w+) \((\w+)\) +│ (\S.*?) +│ +([\d,]+) │", text)
    assert [name for name, *_ in shown] == [row.name for row in rows]
    assert sum(int(params.replace(",", "")) for *_, params in shown) == model.count_params()
    # Nothing is left at the layers of what looked at them.
    assert [set(vars(layer)) for layer in layers.values()] == before


def test_the_shapes_are_of_what_the_layers_give(tokenizer):
    shapes = {row.name: row.shape for row in summary_rows(corpus.tiny_attention(tokenizer))}
    assert shapes["source_embedding"] == (None, None, 12)
    assert shapes["encoder"] == (None, None, 20)
    assert shapes["decoder"] == (None, None, 14)
    assert shapes["readout"] == (None, None, 305)
    names = list(shapes)
    assert names.index("source_embedding") < names.index("encoder") < names.index("decoder")
    shapes = {row.name: row.shape for row in summary_rows(corpus.tiny_sentiment())}
    assert (shapes["pooling"], shapes["classifier"]) == ((None, 12), (None, 2))
    shapes = {row.name: row.shape for row in summary_rows(corpus.tiny_ner())}
    assert shapes["projection"] == (None, None, 17)
    assert shapes["crf"] is None  # it is of the loss, not of the network
    shapes = {row.name: row.shape for row in summary_rows(MAKERS["language model"](None))}
    assert (shapes["projection"], shapes["bias"]) == ((None, 8), (4,))


def test_shared_weights_are_counted_once_and_told(tokenizer):
    model = corpus.tiny_vanilla(tokenizer)
    rows = {row.name: row for row in summary_rows(model)}
    assert rows["embedding"].params == 305 * 12
    assert rows["readout"].shares == ("embedding",)
    assert rows["readout"].params < rows["readout"].layer.count_params()
    assert "readout uses the weights of embedding too" in printed(model)


def test_what_is_inside_and_what_is_trained():
    model = corpus.tiny_sentiment()
    model.embedding.trainable = False
    text = printed(model, expand_nested=True, show_trainable=True)
    assert re.search(r"embedding \(Embedding\) .* no +│", text)
    assert re.search(r"embedding_dropout \(Dropout\) .* - +│", text)
    assert "└ forward" in text
    assert "└ forward" not in printed(model)
    frozen = model.embedding.count_params()
    assert f"Not trainable params: {frozen:,} (" in text


class Choosy(Line):
    """It takes no numbers like those that the summary tries."""

    def call(self, inputs):
        tf.debugging.assert_equal(inputs["points"], 0.0)
        return super().call(inputs)


def test_a_model_that_refuses_the_trial_has_no_shapes():
    model = Choosy()
    (row,) = summary_rows(model)
    assert (row.name, row.shape, row.params) == ("layer", None, 3)
    assert re.search(r"layer \(Dense\) +│ - +│", printed(model))


def test_it_prints_by_itself_too(capsys):
    corpus.tiny_sentiment().summary(line_length=100)
    assert "classifier (Dense)" in capsys.readouterr().out
