"""Evaluation of taggers: the figures of a known tagger, and the card made of them."""

import json
import re
from typing import NamedTuple

import pytest
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from zoo.training.corpora import catalogue, conll2003, tweets
from zoo.training.corpora.columns import Tagged, content_sha256
from zoo.training.evaluation import tagging
from zoo.training.evaluation.card import card_text
from zoo.training.evaluation.lookup import evaluation_of, recipe_of
from zoo.training.metrics.entity_f1 import entities, scores, seen_and_unseen, strict_scores
from zoo.training.metrics.plain_text import plain_text

CONLL = {
    "eng.train": "Ann X X I-PER\nmet X X O\nOslo X X I-LOC\n",
    "eng.testa": "Ann X X I-PER\n, X X O\nBob X X I-PER\n's X X O\nOslo X X I-LOC\n. X X O\n",
    "eng.testb": "Rex X X I-PER\n\nOslo X X I-ORG\nand X X O\nBob X X I-PER\n",
}
TWEETS = {
    "wnut17/wnut17train.conll": "Ann\tB-person\n",
    "wnut17/emerging.test.annotated": (
        "Ann\tB-person\nACME\tB-corporation\nU2\tB-group\nIt\tB-creative-work\nBob\tO\n"
    ),
    "btc/btc.train": "U2\tB-ORG\n",
    "btc/btc.test": "Ann\tB-PER\nU2\tB-ORG\n",
}


class Entity(NamedTuple):
    text: str
    type: str
    start: int
    end: int
    score: float = 1.0


class Lexicon:
    """Tags the words it knows; knows what it was asked."""

    types = {"Ann": "PER", "Bob": "PER", "Oslo": "LOC", "ACME": "ORG"}  # noqa: RUF012

    def __init__(self):
        self.sizes = set()

    def tag_tokens(self, tokens):
        return [
            [f"B-{self.types[token]}" if token in self.types else "O" for token in row]
            for row in tokens
        ]

    def tag(self, texts, batch_size=64):
        self.sizes.add(batch_size)
        # Splits at blanks only: what touches a comma in the text is not found there.
        return [
            [
                Entity(found[0], self.types[found[0]], *found.span())
                for found in re.finditer(r"\S+", text)
                if found[0] in self.types
            ]
            for text in texts
        ]

    def count_params(self):
        return 1234567


@pytest.fixture
def corpora(tmp_path):
    for name, content in {**CONLL, **TWEETS}.items():
        path = tmp_path / "corpora" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "corpora"


@pytest.fixture
def conll(corpora):
    splits = ["conll2003_validation", "conll2003_test"]
    return tagging.evaluate(Lexicon(), corpora, splits, verify=False)


def test_exact_spans_are_counted_seen_and_unseen_apart(conll):
    validation, test = conll["splits"].values()
    assert (validation["sentences"], validation["entities"]) == (1, 3)
    assert (validation["precision"], validation["recall"], validation["f1"]) == (100, 100, 100)
    assert validation["seen"] == {"precision": 100, "recall": 100, "f1": 100, "entities": 2}
    assert validation["unseen"]["entities"] == 1  # Bob

    assert (test["sentences"], test["entities"]) == (2, 3)
    # Found: Bob. Missed: Rex, and Oslo as ORG. Wrong: Oslo as LOC.
    assert test["precision"] == pytest.approx(50)
    assert test["recall"] == pytest.approx(100 / 3)
    assert test["f1"] == pytest.approx(40)
    assert test["types"]["PER"] == {
        "precision": 100,
        "recall": 50,
        "f1": pytest.approx(200 / 3),
        "entities": 2,
    }
    assert test["types"]["ORG"]["f1"] == test["types"]["LOC"]["f1"] == 0
    assert test["seen"] == {"precision": 0, "recall": 0, "f1": 0, "entities": 1}
    assert test["unseen"]["recall"] == 50
    assert "seqeval|mode:strict|scheme:IOB2" in test["signature"]
    assert "own_types" not in test


def test_raw_text_is_compared_by_characters(conll):
    """In "Ann, Bob's Oslo." the lexicon finds nothing that touches punctuation."""
    assert conll["splits"]["conll2003_validation"]["raw"] == {
        "precision": 0,
        "recall": 0,
        "f1": 0,
        "entities": 3,
    }
    raw, tokens = (conll["splits"]["conll2003_test"][part] for part in ("raw", "unseen"))
    assert raw["recall"] == pytest.approx(100 / 3)
    assert raw["entities"] == 3
    assert tokens["entities"] == 2


def test_speed_latency_and_the_datas_digest_are_told(corpora, conll, monkeypatch):
    assert conll["parameters"] == 1234567
    assert conll["latency"]["texts"] == 1
    for split, figures in conll["splits"].items():
        assert figures["texts_per_second"] > 0
        assert figures["published_data"] is False
        data = conll2003.load_conll2003(corpora, split.removeprefix("conll2003_"), verify=False)
        assert figures["sha256"] == content_sha256(data)
    digest = conll["splits"]["conll2003_test"]["sha256"]
    monkeypatch.setitem(conll2003.CHECKSUMS, "test", digest)
    model = Lexicon()
    again = tagging.evaluate(model, corpora, ["conll2003_test"], verify=False, batch_size=3)
    assert again["splits"]["conll2003_test"]["published_data"] is True
    assert model.sizes == {3}


def test_tweets_are_measured_in_common_types_and_in_their_own(corpora):
    splits = ["wnut17_test", "btc_test"]
    wnut, btc = tagging.evaluate(Lexicon(), corpora, splits, verify=False)["splits"].values()
    # Gold: Ann, ACME, U2. Found: Ann, ACME, and Bob, who is none.
    assert (wnut["entities"], wnut["f1"]) == (3, pytest.approx(200 / 3))
    assert wnut["seen"]["entities"] == 2  # Ann, and U2 by the other corpus
    own = wnut["own_types"]
    assert own["types"] == {
        "corporation": {"entities": 1, "found": 1},
        "creative-work": {"entities": 1, "found": 0},
        "group": {"entities": 1, "found": 0},
        "person": {"entities": 1, "found": 1},
    }
    assert own["recall"] == 50
    assert own["precision"] == pytest.approx(200 / 3)
    assert btc["entities"] == 2
    assert "own_types" not in btc


def test_no_or_unknown_splits_are_named(corpora):
    for splits in ((), "conll2003_test", ["conll2003_train"]):
        with pytest.raises(ValueError, match=r"`splits` must name some of conll2003_validation"):
            tagging.evaluate(Lexicon(), corpora, splits)


def config(name, model="ner"):
    recipe = {"name": name, "seed": 7, "epochs": 3}
    training = {"command": f"zoo-train {name} --out run", "recipe": recipe, "epoch": 2}
    return {"model": model, "config": {"units": 8}, "training": training}


def card(name, metrics):
    about = {
        "weights_sha256": "ab" * 32,
        "command": "zoo-train evaluate run/preset",
        "training": config(name)["training"],
        "versions": {"seqeval": "1.2.2"},
        "machine": {"processor": "x86_64", "cores": 2},
    }
    return card_text(config(name), json.loads(json.dumps({**about, **metrics})))


def default_splits(config):
    return evaluation_of(config).default_splits(recipe_of(config))


def test_the_presets_are_measured_on_their_own_corpora():
    assert default_splits(config("ner")) == ("conll2003_validation", "conll2003_test")
    assert default_splits({"model": "ner"}) == default_splits(config("ner"))
    tweet_splits = ("wnut17_validation", "wnut17_test", "btc_validation", "btc_test")
    assert default_splits(config("ner_open")) == tweet_splits


def test_the_card_warns_and_sets_published_figures_beside_published_data_only(conll):
    test = conll["splits"]["conll2003_test"]
    test["f1"] = 91.234
    text = card("ner", conll)
    assert text.startswith("# ner\n")
    assert "For research only" in text
    assert "91.23" in text
    assert "Lample et al. 2016 90.94" not in text
    test["published_data"] = True
    assert "Lample et al. 2016 90.94" in card("ner", conll)


def test_the_open_card_tells_its_licence_and_how_the_types_meet(corpora):
    metrics = tagging.evaluate(Lexicon(), corpora, ["wnut17_test"], verify=False)
    text = card("ner_open", metrics)
    assert "CC-BY 4.0" in text
    assert "corporation 1 of 1, creative-work 0 of 1, group 0 of 1, person 1 of 1" in text
    assert "For research only" not in text
    assert max(len(line) for line in text.splitlines() if "|" not in line and "`" not in line) < 400


def test_the_table_has_a_row_for_each_split(conll):
    header, rows = tagging.table(conll)
    assert [len(row) for row in rows] == [len(header)] * 2
    assert rows[1] == ["conll2003_test", "3", "50.00", "33.33", "40.00", "0.00", "66.67", "40.00"]


GOLD = Tagged(
    [["Ann", "Lee", "in", "New", "York"], ["Oslo", "Opera", "Bob"]],
    [["B-PER", "I-PER", "O", "B-LOC", "I-LOC"], ["B-ORG", "I-ORG", "B-PER"]],
)


@pytest.mark.parametrize(
    "predicted",
    [
        GOLD.tags,
        [["B-PER", "O", "O", "B-LOC", "I-LOC"], ["B-LOC", "I-LOC", "B-PER"]],
        [["O"] * 5, ["B-ORG", "B-ORG", "O"]],
        [["O"] * 5, ["O"] * 3],
    ],
)
def test_the_two_ways_of_counting_agree(predicted):
    """seqeval on tags, and sets of spans where entities are parted or placed by characters."""
    by_sets = scores(entities(GOLD), entities(Tagged(GOLD.tokens, predicted)))
    by_seqeval = strict_scores(GOLD.tags, predicted)
    expected = f1_score(GOLD.tags, predicted, mode="strict", scheme=IOB2, zero_division=0)
    assert by_sets["f1"] == pytest.approx(100 * expected)
    for name in ("precision", "recall", "f1"):
        assert by_sets[name] == pytest.approx(by_seqeval[name])
    parts = seen_and_unseen(GOLD, predicted, {"Bob", "New York"})
    assert parts["seen"]["entities"] == parts["unseen"]["entities"] == 2


def test_plain_text_is_written_as_people_write_and_knows_where_tokens_are():
    tokens = ['"', "Ann", "'s", "dog", ",", '"', "said", "U.S.", "fans", "(", "all", ")", "."]
    plain = plain_text(tokens)
    assert plain.text == '"Ann\'s dog," said U.S. fans (all).'
    places = zip(plain.starts, plain.ends, strict=True)
    assert [plain.text[start:end] for start, end in places] == tokens


@pytest.mark.parametrize("tokens", [["a", "&lt;", "b"], ["ke\u00a0s", "@x"], ["😎", "!", "#y"]])
def test_plain_text_has_every_character_of_odd_tokens(tokens):
    plain = plain_text(tokens)
    places = zip(plain.starts, plain.ends, strict=True)
    assert ["".join(plain.text[start:end].split()) for start, end in places] == [
        "".join(token.split()) for token in tokens
    ]


def test_every_type_of_the_corpora_has_a_measure():
    types = {*tweets.Wnut17.TYPES, *tweets.Btc.TYPES}
    tagged = Tagged([["x"] * len(types)], [[f"B-{type_}" for type_ in types]])
    for corpus in ("wnut17", "btc"):
        assert len(entities(catalogue.corpus(corpus).in_model_types(tagged))) == len(types) - 2
