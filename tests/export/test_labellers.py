"""The tagger through the whole export, at a tiny size and untrained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.models import NER
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary
from zoo.weights import int8_tables

TEXTS = ["Ada met Kurt in Ulm. They left it 😀 for New York.", "", "Nobody is here", "漢字 in Ulm"]
OUTPUTS = {
    "serving_default": {
        "tokens": (tf.string, 2),
        "tags": (tf.string, 2),
        "starts": (tf.int32, 2),
        "ends": (tf.int32, 2),
        "lengths": (tf.int32, 1),
    },
    "entities": {
        "entities": (tf.string, 2),
        "types": (tf.string, 2),
        "starts": (tf.int32, 2),
        "ends": (tf.int32, 2),
        "scores": (tf.float32, 2),
        "counts": (tf.int32, 1),
    },
}


@pytest.fixture(scope="module")
def tagger():
    keras.utils.set_random_seed(3)
    words = WordVocabulary(["in", "met", "ulm", "york", ".", "for"])
    sizes = {"word_units": 6, "character_units": 4, "spelling_units": 3, "units": 5}
    model = NER(words, CharacterVocabulary("aeiouAKNUYdlmnrtw."), trained_words=3, **sizes)
    vectors = np.random.default_rng(0).normal(size=(words.size, 6))
    model.assign_words(int8_tables.decode(*int8_tables.encode(vectors)))
    random = np.random.default_rng(1)
    for variable in model.trainable_variables:  # large enough that not all tags are alike
        variable.assign(random.normal(size=variable.shape))
    return model


@pytest.fixture(scope="module")
def folder(tagger, exported):
    """The tagger's SavedModel; its table of fixed vectors counts as large, and is in bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8_tables, "LEAST_ROWS", 2)
        patch.setattr(int8_tables, "LEAST_ROWS_FOR_A_COLUMN", 0)
        return exported(tagger)


@pytest.fixture(scope="module")
def served(folder):
    return tf.saved_model.load(str(folder)).signatures


def test_takes_little_memory(folder, tagger):
    variables = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    types = variables.get_variable_to_dtype_map()
    shapes = {
        (types[name].name, tuple(shape))
        for name, shape in variables.get_variable_to_shape_map().items()
    }
    assert {("int8", (3, 6)), ("float16", (3,))} < shapes
    assert ("float32", (3, 6)) not in shapes
    assert ("float32", (5, 6)) in shapes  # of the words that are trained
    # A constant of the graph would be copied with it.
    assert (folder / "assets" / "words.txt").read_bytes() == tagger.words.to_bytes()
    assert b"york" not in (folder / "saved_model.pb").read_bytes()


def test_signatures_and_their_outputs(served):
    assert {
        name: {key: (t.dtype, t.shape.rank) for key, t in function.structured_outputs.items()}
        for name, function in served.items()
    } == OUTPUTS


def test_tags_as_the_model_does(served, tagger):
    own = tagger.tag(TEXTS)
    got = {name: value.numpy() for name, value in served["entities"](tf.constant(TEXTS)).items()}
    assert own[0]
    assert got["counts"].tolist() == [len(found) for found in own]
    for row, found in enumerate(own):
        for place, entity in enumerate(found):
            assert got["entities"][row, place].decode() == entity.text
            assert got["types"][row, place].decode() == entity.type
            assert (got["starts"][row, place], got["ends"][row, place]) == entity[2:4]
            assert got["scores"][row, place] == pytest.approx(entity.score, rel=1e-3)


def test_a_long_document(served, tagger):
    document = " ".join(TEXTS) * 200
    got = served["entities"](tf.constant([document]))
    assert got["counts"].numpy().tolist() == [len(tagger.tag(document))]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_batches_without_words(served, texts):
    for function in served.values():
        answers = function(tf.constant(texts, tf.string))
        assert {len(answer) for answer in answers.values()} == {len(texts)}
