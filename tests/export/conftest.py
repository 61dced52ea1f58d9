"""What is exported once for all tests: the model of `tiny_models`, a translator of the zoo."""

import keras
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from tests import corpus
from tests.export.tiny_models import Scorer
from zoo import export
from zoo.export.__main__ import main


@pytest.fixture(scope="session")
def scorer(tokenizer) -> Scorer:
    """The model after a step of training, so that its optimizer has slots."""
    keras.utils.set_random_seed(1)
    model = Scorer(tokenizer)
    model.compile("adam", "mse")
    model.fit(tf.ones([2, 3], tf.int32), tf.ones([2, 1]), verbose=0)
    return model


@pytest.fixture(scope="session")
def base(scorer, tmp_path_factory):
    """A base directory with version 1 of `scorer`, verified. Tests must leave it as it is."""
    base = tmp_path_factory.mktemp("models") / "scorer"
    export.saved_model(scorer, base)
    return base


@pytest.fixture(scope="session")
def translator(tokenizer):
    """A translator with attention, tiny and untrained."""
    keras.utils.set_random_seed(7)
    return corpus.tiny_attention(tokenizer)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Function from a model to its SavedModel's folder.

    Saved as a preset, exported with the command line, verified in a fresh process unless the test
    has no need of that.
    """

    def export_model(model, verify=True):
        folder, base = tmp_path_factory.mktemp("preset") / "tiny", tmp_path_factory.mktemp("models")
        zoo.save(model, folder, half=False)
        check, said = {
            True: ("--verify", "verified in a fresh process"),
            False: ("--no-verify", "not verified"),
        }[verify]
        result = CliRunner().invoke(main, [str(folder), "--base", str(base), check])
        assert result.exit_code == 0, result.output
        assert said in result.output
        return base / "1"

    return export_model


@pytest.fixture(scope="session")
def exported_translator(translator, exported):
    """Its SavedModel's folder."""
    return exported(translator)
