"""What several rooms' tests share."""

import atexit
import gc
import os
import shutil
import tempfile

import keras
import pytest
import tensorflow as tf

from tests import corpus
from zoo.graphs.cache import VARIABLE

# Graphs are kept for this run alone, which its workers and the commands that it starts share.
if VARIABLE not in os.environ:
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="zoo-graphs-")
    atexit.register(shutil.rmtree, os.environ[VARIABLE], ignore_errors=True)

# Most of the suite's time is tracing: a graph is thousands of Python objects, and looking through
# all of TensorFlow's for garbage after every 700 of them takes a fifth of it.
gc.freeze()
gc.set_threshold(50_000, 20, 100)

# The suite's workers take all cores: more threads would wait for work, busily, for a sixth of the
# time. The second line is for the processes that tests start.
tf.config.threading.set_intra_op_parallelism_threads(1)
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# A third is rewriting graphs that then run once. Tests of other processes - exports, commands,
# servers - run with it.
WITHOUT = "disable_meta_optimizer"
tf.config.optimizer.set_experimental_options({WITHOUT: True})


@pytest.fixture
def many_steps():
    """For tests that run a graph so often that rewriting it, for cheaper loops, pays."""
    tf.config.optimizer.set_experimental_options({WITHOUT: False})
    yield
    tf.config.optimizer.set_experimental_options({WITHOUT: True})


@pytest.fixture
def few_steps(request, monkeypatch):
    """For modules whose tests take a step or two each: without a graph, which pays from ten on.

    Their tests of more steps ask for `many_steps`.
    """
    if "many_steps" not in request.fixturenames:
        eagerly = property(lambda model: True, lambda model, value: None)
        monkeypatch.setattr(keras.Model, "run_eagerly", eagerly)


@pytest.fixture(scope="session")
def tokenizer():
    return corpus.tiny_tokenizer()


@pytest.fixture(scope="session", params=["nmt_attention", "nmt_vanilla"])
def model(request, tokenizer):
    """Both translators, tiny, with random weights. Tests leave the weights alone."""
    keras.utils.set_random_seed(3)
    makers = {"nmt_attention": corpus.tiny_attention, "nmt_vanilla": corpus.tiny_vanilla}
    return makers[request.param](tokenizer)
