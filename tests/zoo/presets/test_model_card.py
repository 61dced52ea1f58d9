"""The card that `zoo.save` writes: what is known of a model, and nothing else."""

import copy
import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import zoo
import zoo.presets
from tests import corpus
from zoo.presets import model_card, read_config
from zoo.serving.playground.cards import parse_card

TEXTS = ["The film was good.", "The plot was bad.", "a dull film", "a warm cast"]
LABELS = ["praise", "bug", "bug", "praise"]
PARENT_CARD = """# parent

Is a review negative or positive? 91.2 % accuracy.

## Data and licence

Reviews of nobody. Take these weights as research data.

### Vectors

Public domain.

## Quality

| split | accuracy |
| --- | ---: |
| test | 91.23 |

## Limits

- English only.
"""


@pytest.fixture(scope="module")
def parent(tmp_path_factory):
    """A preset as one that ships: trained by a recipe, with a card of its own."""
    keras.utils.set_random_seed(4)
    folder = tmp_path_factory.mktemp("presets") / "parent"
    zoo.save(corpus.tiny_sentiment(), folder, training={"recipe": {"name": "parent"}})
    (folder / "card.md").write_text(PARENT_CARD)
    return folder


@pytest.fixture(scope="module")
def child(parent, tmp_path_factory):
    """Fine-tuned, measured and saved."""
    model = zoo.load(parent, labels=["bug", "praise"])
    model.fit(TEXTS, LABELS, epochs=3, batch_size=2, validation_split=0.25, verbose=0)
    model.evaluate_report(TEXTS[:2], LABELS[:2])
    return zoo.save(model, tmp_path_factory.mktemp("saved") / "child")


def section(card, heading):
    return card.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_card_tells_what_the_model_is_and_how_to_use_it(child, parent):
    card = zoo.card(child)
    assert card.startswith("# child\n\nIs a text bug or praise? A `text_classifier` of rnn-zoo, ")
    assert "fine-tuned from `parent`" in card
    config = read_config(child)
    assert config["files"]["model.weights.h5"] in card
    for line in (
        'model = zoo.load("child")',
        "model.classify(...)",
        'zoo run child "..."',
        "zoo-export child --base models/child",
        "zoo-serve --model_name=child",
        f"rnn-zoo {zoo.__version__}",
        f"tensorflow {tf.__version__}",
    ):
        assert line in card
    assert f"{zoo.load(child).count_params():,} parameters" in card


def test_the_playground_finds_a_title_and_a_limit_in_it(child):
    card = parse_card(zoo.card(child))
    assert card.title == "Is a text bug or praise?"
    assert card.purpose.startswith("A `text_classifier` of rnn-zoo, fine-tuned from `parent`;")
    assert card.limit.startswith("Measured on the data of the figures above alone")


def test_the_terms_of_the_parent_go_on_and_its_figures_do_not(child):
    card = zoo.card(child)
    terms = section(card, "Data and licence")
    assert "`fit` was given 3 rows" in terms
    assert "### From `parent`, whose weights it began with\n\nReviews of nobody." in terms
    assert "91.2" not in card
    limits = section(card, "Limits")
    assert "Figures in the card of `parent` are of that preset, not of this one." in limits
    assert "### Of `parent`, as its card tells them\n\n- English only." in limits


def test_what_fit_did_is_told_epoch_by_epoch(child):
    made = read_config(child)["provenance"]
    (fit,) = made["fits"]
    assert (fit["rows"], fit["batch_size"], fit["epochs"], fit["batches"]) == (3, 2, 3, 2)
    assert list(fit["figures"]) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert made["changed"] == {"labels": ["bug", "praise"]}
    making = section(zoo.card(child), "How it was made")
    assert 'Other than in `parent`: `labels=["bug", "praise"]`.' in making
    assert "`fit`: 3 rows in batches of 2, 2 batches an epoch, 3 epochs." in making
    last = (f"{fit['figures'][name][-1]:.4g}" for name in ("accuracy", "loss"))
    assert f"| 3, the last | {' | '.join(last)} |" in making


def test_the_report_is_in_it_if_it_is_of_these_weights(child, tmp_path):
    quality = section(zoo.card(child), "Quality")
    assert "2 rows, accuracy" in quality
    assert "| label | precision | recall | F1 | support |" in quality
    model = zoo.load(child)
    again = zoo.save(model, tmp_path / "again")
    assert section(zoo.card(again), "Quality") == quality
    model.fit(TEXTS, LABELS, verbose=0)
    later = zoo.card(zoo.save(model, tmp_path / "later"))
    assert "Not evaluated: no report was made of these weights" in section(later, "Quality")
    assert "Not evaluated: how good it is, is not known." in section(later, "Limits")
    assert "`fit`, call 2 of 2: 4 rows" in later
    assert "`fit` was given 3 and then 4 rows" in later
    assert "fine-tuned from `parent`" in later


def test_a_grandchild_carries_the_terms_of_all_before_it(child, tmp_path):
    model = zoo.load(child, labels=["cat", "dog", "cow"])
    card = zoo.card(zoo.save(model, tmp_path / "grandchild"))
    assert "made of `child`" in card
    terms = section(card, "Data and licence")
    assert "### From `child`, whose weights it began with\n\n`fit` was given 3 rows" in terms
    assert terms.count("Reviews of nobody") == terms.count("Public domain") == 1
    assert "`fit`:" not in card
    assert "2 rows, accuracy" not in card


def test_what_is_not_known_is_left_out(tmp_path):
    folder = zoo.save(corpus.tiny_ner(), tmp_path / "fresh")
    card = zoo.card(folder)
    assert "Finds LOC, MISC, ORG and PER in a text. A `ner` of rnn-zoo; " in card
    assert "## Data and licence" not in card
    assert "`fit`" not in card
    assert "None" not in card
    assert read_config(folder)["provenance"].keys() == {"task", "reads", "parameters", "versions"}
    # As older versions saved them.
    (folder / "card.md").unlink()
    assert zoo.card(folder) == card
    config = {**read_config(folder), "provenance": None}
    assert "# fresh\n\nA `ner` of rnn-zoo.\n" in model_card.card_text("fresh", config)


def fitted(model, *data, **options):
    model.fit(*data, verbose=0, **options)
    return model.provenance.fits[-1]


def test_rows_are_counted_in_whatever_form_they_come(parent):
    model = zoo.load(parent, labels=["bug", "praise"])
    frame = pd.DataFrame({"texts": TEXTS, "labels": LABELS})
    for data in ((TEXTS, LABELS), (np.array(TEXTS), LABELS), (frame,), ({**frame},)):
        assert fitted(model, *data)["rows"] == 4
    streamed = fitted(model, tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)), batch_size=2)
    assert streamed["rows"] is None
    assert streamed["batches"] == 2
    card = model_card.card_text("x", {**described(model), "training": None})
    assert "`fit`, call 5 of 5: 2 batches an epoch, 1 epoch." in card


def described(model):
    files = {"model.weights.h5": "ab"}
    provenance = json.loads(json.dumps(model_card.described(model)))
    config = {"model": "text_classifier", "config": model.get_config()}
    return {**config, "files": files, "provenance": provenance}


def test_a_fit_that_stopped_or_kept_an_earlier_epoch_says_so(parent):
    model = zoo.load(parent, labels=["bug", "praise"])

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXTS, LABELS, epochs=3, callbacks=[Interrupt()], verbose=0)
    early = keras.callbacks.EarlyStopping("loss", mode="max", patience=1, restore_best_weights=True)
    fitted(model, TEXTS, LABELS, epochs=9, callbacks=early)
    with pytest.raises(ValueError, match="must hold"):
        model.fit(TEXTS, ["cat"] * 4, verbose=0)  # refused: nothing was trained
    stopped, kept = model.provenance.fits
    assert (stopped["epochs"], stopped["stopped"]) == (1, "KeyboardInterrupt")
    assert kept["kept_epoch"] == early.best_epoch + 1
    card = model_card.card_text("x", described(model))
    assert "1 epoch, then stopped (KeyboardInterrupt)" in card
    assert f"of which the weights of epoch {kept['kept_epoch']} were kept" in card


def test_a_copy_remembers_where_it_came_from(parent):
    model = zoo.load(parent)
    for copied in (copy.copy(model), copy.deepcopy(model)):
        assert copied.provenance == model.provenance
        copied.provenance.fits.append({"rows": 1})
    assert not model.provenance.fits


def test_the_presets_that_ship_have_terms_and_limits_to_go_on():
    for name in zoo.list_models():
        config = read_config(name)
        found = model_card.ancestor(name, config["files"]["model.weights.h5"], zoo.card(name))
        assert {"terms", "limits"} <= found.keys(), name


def test_many_labels_and_odd_names_make_a_card():
    config = {
        "model": "text_classifier",
        "config": {"labels": [f"label {i}" for i in range(50)]},
        "files": {"model.weights.h5": "ab"},
        "provenance": {"task": "classify", "reads": "text"},
    }
    card = model_card.card_text("x", config)
    assert "label 19 or 30 more?" in card
    config["config"] |= {"labels": ["a", "b"], "multi_label": True}
    assert "Which of a and b is a text?" in model_card.card_text("x", config)
