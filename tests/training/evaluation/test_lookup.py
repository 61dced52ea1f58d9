"""How an evaluation and a card's words are found, and what they are if only a little is said."""

import pytest

from zoo.models import base
from zoo.registry import register
from zoo.training.evaluation import classification, tagging
from zoo.training.evaluation.base import Evaluation, figures_table
from zoo.training.evaluation.card import card_text
from zoo.training.evaluation.lookup import card_of, evaluation_of, recipe_of
from zoo.training.metrics.speed import latency, throughput

OWN = Evaluation(splits=("here",), measure=dict)


class Model(base.ZooModel):
    task = "classify"
    signatures = from_assets = None  # which are not called here


@pytest.fixture
def registered(monkeypatch):
    """A registry that forgets what is registered in the test."""
    from zoo import registry

    registry.model_names()  # all that is there is found before
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    return register


def config(model, **recipe):
    training = {"command": None, "recipe": {"seed": 1, **recipe}, "epoch": 1} if recipe else None
    return {"model": model, "config": {"units": 3}, "training": training}


def test_the_recipe_says_what_is_measured():
    assert evaluation_of(config("ner", name="ner_open")) is tagging.EVALUATION
    assert recipe_of(config("ner", name="ner_open", epochs=3))["epochs"] == 3
    assert recipe_of(config("ner", name="ner_open"))["corpora"] == ("wnut17", "btc")
    assert recipe_of(config("ner"))["corpora"] == ("conll2003",)
    # A recipe that nobody has here: the model says the rest.
    assert evaluation_of(config("ner", name="mine")) is tagging.EVALUATION
    assert recipe_of(config("ner", name="mine", corpora=["btc"]))["corpora"] == ["btc"]


def test_a_former_name_of_a_model_is_the_same_model():
    for name in ("sentiment", "text_classifier"):
        assert evaluation_of(config(name, name="readouts")) is classification.EVALUATION
        assert card_of(config(name, name="readouts")).data.startswith("Not one of the zoo's")


def test_without_a_recipe_the_class_says_it(registered):
    registered(type("Verdict", (Model,), {}), name="verdict")
    assert evaluation_of(config("verdict")) is classification.EVALUATION
    registered(type("Measured", (Model,), {"evaluation": OWN}), name="measured")
    assert evaluation_of(config("measured")) is OWN
    registered(type("Singer", (Model,), {"task": "sing"}), name="singer")
    with pytest.raises(ValueError, match=r"Nothing measures this model.*model='singer'"):
        evaluation_of(config("singer"))


def metrics(**figures):
    return {
        "splits": {"here": figures},
        "parameters": 7,
        "weights_sha256": "ab",
        "command": "zoo-train evaluate x",
        "training": None,
        "versions": {"keras": "3"},
        "machine": {"cores": 2, "processor": "x86"},
    }


def test_a_card_of_splits_and_figures_alone(registered):
    registered(type("Measured", (Model,), {"evaluation": OWN}), name="measured")
    card = card_text(config("measured"), metrics(exact=91.234, rows=1000, sha256="ab", ok=True))
    for text in ("# measured\n", "A model of the kind `measured`", "| here | 91.23 | 1,000 |"):
        assert text in card
    assert "## Speed" not in card


def test_the_speed_is_told_in_the_models_own_words(registered):
    own = Evaluation(("here",), dict, way="From picture to text", unit="pictures")
    registered(type("Captioner", (Model,), {"evaluation": own}), name="captioner")
    _, speed = throughput(lambda rows: rows, ["a", "b"], unit="pictures")
    measured = metrics(**speed) | {
        "batch_size": 64,
        "latency": latency(lambda rows: rows, ["a", "b"], unit="pictures"),
    }
    card = card_text(config("captioner"), measured)
    assert "From picture to text on 2 cores (x86):" in card
    assert "pictures a second in batches of 64;" in card
    assert "- one picture alone in 0 ms, the median of 2;" in card


def test_the_table_has_every_plain_figure():
    two = {"splits": {"a": {"x": 1.0, "by": [1]}, "b": {"x": 2.0, "n": 3000, "ok": True}}}
    assert figures_table(two) == (
        ["split", "x", "n"],
        [["a", "1.00", "-"], ["b", "2.00", "3,000"]],
    )
