"""A saved model and a cache of its own for each test."""

import keras
import pytest

import zoo
from tests import corpus
from zoo.graphs.cache import VARIABLE
from zoo.graphs.verbs import VerbGraph


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """The folder of a classifier of several labels: its thresholds are a variable of no layer."""
    keras.utils.set_random_seed(3)
    labels = ["positive", "negative"]
    model = corpus.loud(corpus.tiny_sentiment(labels=labels, multi_label=True))
    return zoo.save(model, tmp_path_factory.mktemp("saved") / "classifier")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder in which graphs are kept in this test."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "graphs"))
    return tmp_path / "graphs"


@pytest.fixture
def traces(monkeypatch):
    """A list that grows by one whenever a verb is traced."""
    traced, trace = [], VerbGraph._trace

    def counted(graph):
        traced.append(graph)
        return trace(graph)

    monkeypatch.setattr(VerbGraph, "_trace", counted)
    return traced
