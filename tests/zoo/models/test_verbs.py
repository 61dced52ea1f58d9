"""One contract for all verbs: order, one or many, batches, progress, Ctrl-C."""

import inspect
import io

import keras
import numpy as np
import pytest
from rich.console import Console

from tests import corpus
from tests.zoo.models.toy_captioner import ToyCaptioner
from zoo.models import LanguageModel, progress
from zoo.text.vocabulary import WordVocabulary

TEXTS = ["The film was good.", "a dull ending of it all", "", "The music was clever.", "the"]
IMAGES = list(np.random.default_rng(0).integers(0, 256, [5, 6, 6], dtype=np.uint8))


def language_model():
    words = WordVocabulary(["the", "film", "was", "a", ".", "good"])
    return LanguageModel(words, embedding_units=4, units=5, negatives=3)


MODELS = {
    "classifier": (corpus.tiny_sentiment, TEXTS),
    "tagger": (corpus.tiny_ner, TEXTS),
    "translator": (lambda: corpus.tiny_attention(corpus.tiny_tokenizer()), TEXTS),
    "captioner": (lambda: ToyCaptioner(corpus.tiny_tokenizer()), IMAGES),
    "language model": (language_model, TEXTS),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    """The verb of a model, entries for it, and its answers."""
    make, entries = MODELS[request.param]
    keras.utils.set_random_seed(2)
    model = corpus.loud(make())
    verb = getattr(model, model.task)
    return model, verb, entries, verb(entries)


def label_of(answer):
    """What must be the same to the letter, whatever the rounding of scores."""
    if isinstance(answer, list):
        return [(entity.text, entity.type) for entity in answer]
    return getattr(answer, "label", answer)


def test_answers_come_in_order_and_one_for_one(case):
    _, verb, entries, answers = case
    assert len(answers) == len(entries)
    for place in (3, 0):  # a language model draws by the place in the list: its own is 0
        if verb.__name__ != "complete" or place == 0:
            assert label_of(verb(entries[place])) == label_of(answers[place])


def test_batch_size_changes_nothing(case):
    _, verb, entries, answers = case
    for batch_size in (1, 2, 100):
        again = verb(entries, batch_size=batch_size)
        assert [label_of(a) for a in again] == [label_of(a) for a in answers]


def test_wrong_batch_sizes_and_entries_are_named(case):
    model, verb, entries, _ = case
    name = model.verb_column.name
    for batch_size in (0, -1, 2.5, True, "3"):
        with pytest.raises(ValueError, match="`batch_size` must be an int of at least 1"):
            verb(entries, batch_size=batch_size)
    for wrong in ([], [None], {"a": 1}, None, 3.5):
        with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
            verb(wrong)


def test_an_interrupted_verb_answers_again(case, monkeypatch):
    model, verb, entries, answers = case
    run_graph, calls = type(model).run_graph, []

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run_graph(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(model), "run_graph", interrupted)
        with pytest.raises(KeyboardInterrupt):
            verb(entries, batch_size=2)
    again = verb(entries, batch_size=2)
    assert [label_of(a) for a in again] == [label_of(a) for a in answers]


@pytest.fixture
def terminal(monkeypatch):
    """Standard error as a terminal; what was shown there."""
    shown = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda **_: Console(file=shown, force_terminal=True, width=80)
    )
    return shown


def test_a_bar_is_shown_after_two_seconds_on_a_terminal(terminal, monkeypatch):
    model = corpus.tiny_sentiment()
    monkeypatch.setattr(progress, "AFTER_SECONDS", 1e9)
    model.classify(TEXTS, batch_size=1)
    assert terminal.getvalue() == ""  # it took less
    monkeypatch.setattr(progress, "AFTER_SECONDS", -1.0)
    model.classify(TEXTS, batch_size=1)
    assert "classify" in terminal.getvalue()
    assert "5/5" in terminal.getvalue()
    before = terminal.getvalue()
    model.classify(TEXTS, batch_size=1, progress=False)
    assert terminal.getvalue() == before


def test_no_bar_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "AFTER_SECONDS", -1.0)
    corpus.tiny_sentiment().classify(TEXTS)
    assert capsys.readouterr() == ("", "")


def test_the_bar_goes_when_a_verb_is_interrupted(terminal, monkeypatch):
    monkeypatch.setattr(progress, "AFTER_SECONDS", -1.0)

    def work():
        with progress.progress_bar("work", 3) as advance:
            advance(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert "\x1b[?25h" in terminal.getvalue()  # the cursor is back


def test_all_verbs_have_the_options_of_the_contract(case):
    _, verb, *_ = case
    parameters = inspect.signature(verb).parameters
    assert parameters["batch_size"].default == 64
    assert parameters["progress"].default is True
