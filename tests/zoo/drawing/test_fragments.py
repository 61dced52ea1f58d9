"""Answers in a notebook: fragments that leave the page alone, with all that there is to see."""

import copy
import json
import pickle
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from zoo.models.answers import Answers
from zoo.models.classifications import Classification, MultiClassification, TokenWeight
from zoo.models.entities import Entities, Entity
from zoo.models.translation import Translation
from zoo.models.written_text import WrittenText

NASTY = '"><script>alert(1)</script>'
TOKENS = [
    TokenWeight("not", 0, 3, 0.2),
    TokenWeight("<b>", 4, 7, 0.0),
    TokenWeight("good", 8, 12, 0.8),
]
CLASSIFIED = Classification("bad", 0.75, {"good": 0.25, "bad": 0.75}, TOKENS)
TABLE = np.array([[0.9, 0.1, 0.0], [0.25, 0.5, 0.25]], np.float32)
TRANSLATED = Translation(
    "Ein Hund", -0.125, ["▁a", "▁dog", "</s>"], ["▁Ein", "▁Hund"], TABLE, False
)
ENTITIES = [Entity("Ulm", "LOC", 2, 5, 0.9), Entity("Ada", "PER", 8, 11, 1.0)]
TAGGED = Entities(ENTITIES, "😀 Ulm & Ada")


class Page(HTMLParser):
    """A fragment as a browser reads it: every tag is closed, and none but plain ones are there."""

    def __init__(self, fragment):
        super().__init__()
        self.open, self.text, self.cells, self.styles, self.titles = [], "", [], [], []
        self.feed(fragment)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in {"b", "code", "div", "mark", "small", "span", "table", "td", "th", "tr"}
        assert {name for name, _ in attributes} <= {"colspan", "dir", "style", "title"}
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        self.styles += [value for name, value in attributes if name == "style"]
        self.titles += [value for name, value in attributes if name == "title"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


def page(answer):
    return Page(answer._repr_html_())


def test_a_classification_has_labels_by_probability_and_words_by_weight():
    shown = page(CLASSIFIED)
    assert shown.text == "bad 75.0% · good 25.0%not <b> good"
    assert shown.titles == ["20.00%", "80.00%"]  # a word without weight has no mark
    alphas = re.findall(r"rgba\(255, 170, 0, ([\d.]+)\)", str(shown.styles))
    assert alphas == ["0.125", "0.500"]
    assert "<b>good</b>" in CLASSIFIED._repr_html_()  # seen without any style too
    assert page(CLASSIFIED._replace(tokens=None)).text == "bad 75.0% · good 25.0%"


def test_all_labels_that_are_chosen_are_bold():
    answer = MultiClassification({"a": 0.9, "b": 0.7}, {"b": 0.7, "c": 0.2, "a": 0.9}, None)
    assert page(answer).text == "a 90.0% · b 70.0% · c 20.0%"
    assert re.findall("<b>(.*?)</b>", answer._repr_html_()) == ["a", "b"]


def test_many_labels_are_cut_and_what_is_not_all_is_not_100_percent():
    probabilities = {f"label {n}": 0.00001 for n in range(9)} | {"all": 0.9999}
    shown = page(Classification("all", 0.9999, probabilities, None)).text
    assert shown.startswith("all >99.9% · label 0 0.0%")
    assert shown.endswith("and 5 more")
    assert page(Classification("all", 1.0, {"all": 1.0}, None)).text == "all 100.0%"


def test_tokens_that_were_left_out_are_told():
    tokens = [TokenWeight("first", 0, 5, 0.5), TokenWeight("last", 4000, 4004, 0.5)]
    assert page(CLASSIFIED._replace(tokens=tokens)).text.endswith(
        "first" + " … ".ljust(3995) + "last"
    )


def test_a_translation_has_its_table_and_faint_zeros():
    shown = page(TRANSLATED)
    assert shown.text.startswith("Ein Hundscore -0.1")
    head, rows = shown.cells[:4], [shown.cells[4:8], shown.cells[8:]]
    assert head == ["", "a", "dog", "</s>"]
    assert rows == [["Ein", "90", "10", "·"], ["Hund", "25", "50", "25"]]
    assert len(re.findall("opacity: .3", str(shown.styles))) == 1


def test_a_translation_without_a_table():
    plain = TRANSLATED._replace(attention=None)
    assert "<table" not in plain._repr_html_()
    assert page(Translation("", 0.0, ["</s>"], [], np.zeros((0, 1)), False)).cells == []
    long = Translation("x", -1.0, ["▁a"] * 100, ["▁b"] * 100, np.full((100, 100), 0.01), True)
    assert "zoo.plot_attention(answer)" in page(long).text
    assert "score -1.00, low confidence" in page(long).text
    assert len(long._repr_html_()) < 1000
    caption = WrittenText("A caption", -1.0, ["▁A"], np.ones((1, 49)))
    assert page(caption).text.startswith("A caption")


def test_entities_are_marked_in_their_text():
    shown = page(TAGGED)
    assert shown.text == "😀 Ulm LOC & Ada PER"
    assert shown.titles == ["90.0%", "100.0%"]
    assert page(Entities(reversed(TAGGED), TAGGED.text)).text == shown.text
    assert page(Entities([], "nobody")).text == "nobody"


@pytest.mark.parametrize(
    "answer",
    [
        Classification(NASTY, 1.0, {NASTY: 1.0}, [TokenWeight(NASTY, 0, len(NASTY), 1.0)]),
        Translation(NASTY, -1.0, [NASTY], [NASTY], np.ones((1, 1)), True),
        WrittenText(NASTY, -1.0, [NASTY], None),
        Entities([Entity(NASTY, NASTY, 0, len(NASTY), 1.0)], NASTY),
        Answers([NASTY], [NASTY]),
        Answers([CLASSIFIED._replace(tokens=None)], [NASTY]),
    ],
)
def test_nothing_of_a_text_or_a_model_is_a_tag(answer):
    shown = page(answer)  # which refuses a tag `script`, and an attribute that is not known
    assert "alert(1)" in shown.text
    assert "<style" not in answer._repr_html_()


def test_many_answers_stand_beside_their_texts():
    answers = Answers([f"answer {n}" for n in range(50)], [f"text {n}" for n in range(20)])
    shown = page(answers)
    assert shown.cells[:4] == ["text 0", "answer 0", "text 1", "answer 1"]
    assert len(shown.cells) == 40
    assert shown.text.endswith("… and 30 more")
    tagged = page(Answers([TAGGED, Entities([], "nobody")], [TAGGED.text, "nobody"]))
    assert tagged.cells == ["😀 Ulm LOC & Ada PER", "nobody"]
    assert page(Answers([CLASSIFIED], ["not <b> good"])).text.count("not") == 1
    assert page(Answers(["a number"])).cells == ["0", "a number"]


def test_a_type_has_one_colour_in_all_texts():
    other = Entities([Entity("Ada", "PER", 0, 3, 1.0)], "Ada")
    colours = re.findall(r"background: (#\w+)", Answers([TAGGED, other])._repr_html_())
    assert len(colours) == 3
    assert colours[1] == colours[2] != colours[0]


def test_answers_that_were_moved_stand_beside_no_wrong_text():
    answers = Answers(["b", "a"], ["text of b", "text of a"])
    answers.sort()
    assert page(answers).cells == ["0", "a", "1", "b"]
    del answers[0]
    assert page(answers).cells == ["0", "b"]


def test_answers_are_a_list_to_everybody():
    answers = Answers(["b", "a"], ["x", "y"])
    assert answers == ["b", "a"]
    assert (repr(answers), json.dumps(answers)) == ("['b', 'a']", '["b", "a"]')
    assert tf.constant(answers).shape == [2]
    assert tf.nest.map_structure(str.upper, answers) == ["B", "A"]
    for copied in (copy.deepcopy(answers), pickle.loads(pickle.dumps(answers))):
        assert page(copied).cells == ["x", "b", "y", "a"]
    assert pickle.loads(pickle.dumps(TAGGED)).text == TAGGED.text


def test_the_verbs_give_them(model, tokenizer):
    texts = ["A dog & a man.", "A woman reads.", b"bytes \xff"]
    shown = [page(model.translate(texts, beam_size=1)).cells[i] for i in (0, 2, 4)]
    assert shown == ["A dog & a man.", "A woman reads.", "bytes \ufffd"]
    answer = model.translate(texts[0], beam_size=1, return_attention=True)
    assert ("<table" in answer._repr_html_()) == (model.has_attention and answer.text != "")
    attended = page(corpus.tiny_sentiment().classify(texts, return_attention=True))
    assert attended.text.count("A dog & a man.") == 1


def test_a_tagger_gives_the_text_with_its_entities():
    tagger = corpus.tiny_ner()
    one = tagger.tag("Ada \U0001f642 was in Ulm.")
    assert one.text == "Ada \U0001f642 was in Ulm."
    for entity in one:
        assert one.text[entity.start : entity.end] == entity.text
    many = tagger.tag(["Ada.", b"bad \xff", ""])
    assert [entities.text for entities in many] == ["Ada.", "bad \ufffd", ""]
    assert len(page(many).cells) == 3
