"""Graphs that are kept: the same answers bit for bit, and never one of another model."""

import functools
import gc
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

import zoo
from tests import corpus
from zoo.graphs import cache as graph_cache
from zoo.graphs.cache import VARIABLE
from zoo.text.words import WordTokenizer

TEXTS = ["The film was good.", "a dull ending", "", "The music was clever, and I sat there."]
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def traced_once(saved, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        zoo.load(saved).classify(TEXTS)
    return folder


@pytest.fixture
def kept(traced_once, cache):
    """The cache's folder with the graph of `classify`."""
    return Path(shutil.copytree(traced_once, cache))


def of_no_cache(saved, ask, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv(VARIABLE, "off")
        return ask(zoo.load(saved))


def test_a_kept_graph_answers_as_a_traced_one(saved, kept, traces, monkeypatch):
    model = zoo.load(saved)
    several = [TEXTS, TEXTS[:1], TEXTS[::-1] * 3, ["good " * 500]]
    found = [model.classify(texts) for texts in several]
    assert not traces
    assert len(list(kept.iterdir())) == 1

    def ask(model):
        return [model.classify(texts) for texts in several]

    assert found == of_no_cache(saved, ask, monkeypatch)
    assert traces


@pytest.mark.parametrize("make", ["tagger", "translator"])
def test_other_verbs_too(make, tokenizer, tmp_path, cache, traces):
    keras.utils.set_random_seed(3)
    makers = {
        "tagger": corpus.tiny_ner,
        "translator": functools.partial(corpus.tiny_attention, tokenizer),
    }
    verbs = {
        # Its graph takes a ragged tensor.
        "tagger": lambda model: model.tag_tokens([["Ada", "slept"], ["Ulm"]]),
        "translator": lambda model: model.translate(TEXTS, beam_size=2),
    }
    own = corpus.loud(makers[make]())  # not from a folder: traced
    folder = zoo.save(own, tmp_path / "model", half=False)
    expected = verbs[make](own)
    assert not cache.exists()
    assert verbs[make](zoo.load(folder)) == expected
    before = len(traces)
    assert verbs[make](zoo.load(folder)) == expected
    assert len(traces) == before


def test_another_process_finds_it(saved, kept):
    code = (
        "import sys, zoo\nfrom zoo.graphs.verbs import VerbGraph\nVerbGraph._trace = None\n"
        "print(zoo.load(sys.argv[1]).classify('a dull ending'))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(saved)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("MultiClassification(")


def test_it_follows_the_weights(saved, kept, traces):
    model = zoo.load(saved)
    before = model.classify("a dull ending")
    model.thresholds = dict.fromkeys(model.labels, 0.0)
    assert set(model.classify("a dull ending").labels) == set(model.labels)
    model.fit(TEXTS[:2], [["positive"], ["negative"]], epochs=2, verbose=0)
    after = model.classify("a dull ending")
    assert after.probabilities != before.probabilities
    assert not traces
    own = zoo.load(saved)
    own.keeps_graphs = False
    own.set_weights(model.get_weights())
    own.thresholds = 0.0
    assert own.classify("a dull ending") == after


def test_what_is_set_on_a_model_counts(saved, kept, traces):
    model = zoo.load(saved)
    whole = model.classify(TEXTS[3])
    assert not traces
    model = zoo.load(saved)
    model.max_tokens = 2
    assert model.classify(TEXTS[3]).probabilities != whole.probabilities
    assert len(traces) == 1


class Misread(WordTokenizer):
    """A tokenizer of the user's own."""

    def tokenize(self, texts):
        return super().tokenize(tf.strings.regex_replace(texts, "good", "dull"))


def test_code_of_others_is_traced(saved, kept, traces):
    model = zoo.load(saved)
    before = model.classify("The film was good.").probabilities
    model.tokenizer = Misread()
    model._graphs.clear()
    assert model.classify("The film was good.").probabilities != before
    assert len(traces) == 1
    assert len(list(kept.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"",
    ],
)
def test_a_damaged_graph_is_traced_anew(damage, saved, kept, traces):
    (path,) = kept.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert zoo.load(saved).classify(TEXTS)
    assert len(traces) == 1
    assert graph_cache._read(path)


def test_a_cache_that_cannot_be_written_is_passed_over(saved, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "graphs"))
    assert len(zoo.load(saved).classify(TEXTS)) == len(TEXTS)


def test_off(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "off")
    zoo.load(saved).classify("good")
    assert not list(tmp_path.iterdir())


def test_by_default_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert graph_cache.cache_folder() == tmp_path / "rnn-zoo" / "graphs"


def test_those_unused_for_longest_go(cache, monkeypatch):
    monkeypatch.setattr(graph_cache, "MOST_BYTES", 1100)
    noise = np.random.default_rng(1)
    paths = [cache / f"{name}.graph" for name in "abcdef"]
    for place, path in enumerate(paths):
        graph_cache._write(path, noise.bytes(200))
        os.utime(path, (place, place))
    os.utime(paths[2])
    graph_cache._write(cache / "large.graph", noise.bytes(300))  # more than a quarter
    graph_cache._write(cache / "last.graph", noise.bytes(190))
    assert {path.stem for path in cache.iterdir()} == {"c", "e", "f", "last"}


def test_a_dropped_model_leaves_no_function(saved, kept):
    model = zoo.load(saved)
    model.classify("good")
    (graph,) = model._graphs.values()
    name = graph._kept._function
    del graph
    assert context.context().has_function(name)
    second = zoo.load(saved)
    second.classify("good")
    del model
    gc.collect()
    assert second.classify("good")
    del second
    gc.collect()
    assert not context.context().has_function(name)


def test_threads_that_begin_together(saved, kept, traces):
    expected = zoo.load(saved).classify(TEXTS)
    model = zoo.load(saved)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: model.classify(TEXTS), range(8)))
    assert found == [expected] * 8
    assert not traces


def test_eager_mode_is_eager(saved, kept, traces):
    model = zoo.load(saved)
    expected = model.classify(TEXTS)
    tf.config.run_functions_eagerly(True)
    try:
        found = [zoo.load(saved).classify(TEXTS), model.classify(TEXTS)]
    finally:
        tf.config.run_functions_eagerly(False)
    for answers in found:
        for one, other in zip(answers, expected, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, rel=1e-5)


def test_batches_of_another_kind_are_refused(saved, kept):
    model = zoo.load(saved)
    model.classify(TEXTS)
    with pytest.raises(TypeError):
        model.run_graph(model._classify, tf.constant([[1, 2]]))
