"""Painted texts: nothing lost, nothing executed, all in its place and by its weight."""

import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from zoo.drawing.painting import attention_page, entities_page, entities_text, type_colours
from zoo.drawing.word_figure import attention_words
from zoo.models.classifications import Classification, MultiClassification, TokenWeight
from zoo.models.entities import Entity

TEXT = "A <b>good</b> film & 我们 <script>alert('x')</script>\n\n  😀 end"
NASTY = '"><script>alert(1)</script>'


def classified(text, weights=None):
    """A result whose tokens are the words between blanks."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    weights = weights or [1 / len(spans)] * len(spans)
    tokens = [
        TokenWeight(text[start:end], start, end, weight)
        for (start, end), weight in zip(spans, weights, strict=True)
    ]
    return Classification("good", 0.75, {"bad": 0.25, "good": 0.75}, tokens)


class Reader(HTMLParser):
    """What a browser makes of a page: its text, and the text and attributes of marked parts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text, self.parts = set(), [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in ("meta", "meter"):
            self.open.append(tag)
        if tag in ("span", "mark"):
            self.parts.append(["", dict(attributes)])

    def handle_endtag(self, tag):
        if tag != "meter":
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "p" in self.open and "small" not in self.open:
            self.text += data
        if self.open and self.open[-1] in ("span", "mark"):
            self.parts[-1][0] += data


def test_a_page_has_the_text_as_it_was_and_no_tag_of_it():
    reader = Reader(attention_page(TEXT, classified(TEXT)))
    assert reader.open == []
    assert reader.text.startswith(TEXT)
    assert [text for text, _ in reader.parts] == TEXT.split()
    assert not reader.tags & {"b", "script"}


def test_the_weightiest_word_has_the_strongest_colour():
    page = attention_page("not so good", classified("not so good", [0.2, 0.0, 0.8]))
    parts = dict(Reader(page).parts)
    strength = {text: float(a["style"][:-1].split()[-1]) for text, a in parts.items()}
    assert strength == {"not": 0.25, "so": 0.0, "good": 1.0}
    assert parts["good"]["title"] == "80.00%"
    assert "25.0%" in page  # the probability of the other label
    assert "80.0% of the attention" in page


def test_of_several_labels_the_chosen_ones_stand_out():
    tokens = classified("not so good").tokens
    probabilities = {"slow": 0.9, NASTY: 0.1, "a & b": 0.6}
    chosen = {"slow": 0.9, "a & b": 0.6}
    page = attention_page("not so good", MultiClassification(chosen, probabilities, tokens))
    assert "<h1>slow, a &amp; b</h1>" in page
    bold = re.findall(r'<td style="font-weight: bold">(.*?)</td>', page)
    assert bold == ["slow", "a &amp; b"]
    assert "10.0%" in page
    assert "script" not in Reader(page).tags
    page = attention_page("not so good", MultiClassification({}, probabilities, tokens))
    assert "<h1>none of the labels</h1>" in page
    assert "font-weight: bold" not in page
    figure = attention_words("so", MultiClassification({}, probabilities, tokens))
    assert figure.axes[0].texts[0].get_text().startswith("slow 90.0%, a & b 60.0%")


def test_labels_and_types_are_escaped_too():
    label = classified("a")._replace(label=NASTY, probabilities={NASTY: 1.0})
    entity = Entity("a", NASTY, 0, 1, 0.5)
    for page in (attention_page("a", label), entities_page([("a", [entity])])):
        assert "script" not in Reader(page).tags
        assert "alert(1)" in page


def test_entities_are_marked_where_they_are():
    text = "😀 Ulm & <Bern>"
    entities = [Entity("Ulm", "LOC", 2, 5, 0.9), Entity("<Bern>", "LOC", 8, 14, 0.8)]
    reader = Reader(entities_page([(text, entities), ("nobody", [])]))
    assert reader.text == text + "nobody"
    assert [(part, a["title"]) for part, a in reader.parts] == [
        ("Ulm", "90.0%"),
        ("<Bern>", "80.0%"),
    ]


def shown(text, entities, plain, **console):
    console = Console(width=200, **console)
    with console.capture() as captured:
        console.print(entities_text(text, entities, type_colours(entities), plain), soft_wrap=True)
    return captured.get()


def test_a_terminal_shows_the_whole_text_with_types():
    text = "Ada met [bold]Bob[/bold]."
    entities = [Entity("Ada", "PER", 0, 3, 0.9), Entity("Bob", "PER", 14, 17, 0.9)]
    plain = shown(text, entities, plain=True, color_system=None)
    assert plain == "[Ada PER] met [bold][Bob PER][/bold].\n"
    coloured = shown(text, entities, False, color_system="truecolor", force_terminal=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == " Ada PER  met [bold] Bob PER [/bold].\n"


def test_a_text_cannot_steer_the_terminal():
    text = "a\x1b[2J\x07\x9b1m Bob\r"
    assert shown(text, [Entity("Bob", "PER", 10, 13, 0.9)], plain=True, color_system=None) == (
        "a\ufffd[2J\ufffd\ufffd1m [Bob PER]\ufffd\n"
    )


def test_types_have_colours_of_their_own():
    entities = [Entity("x", name, 0, 1, 1.0) for name in ("PER", "LOC", "ORG", "MISC", "LOC")]
    assert len(set(type_colours(entities).values())) == 4


def words_of(figure):
    axes = figure.axes[0]
    title, *words, note = axes.texts
    return title, words, note, axes.patches


@pytest.mark.filterwarnings("ignore:No installed font")
def test_a_figure_has_every_word_in_reading_order(tmp_path):
    text = TEXT + " long words that need" * 20
    figure = attention_words(text, classified(text), tmp_path / "words.png")
    assert (tmp_path / "words.png").read_bytes().startswith(b"\x89PNG")
    title, words, _, boxes = words_of(figure)
    assert title.get_text() == "good 75.0%, bad 25.0%"
    assert len(words) == len(boxes) == len(text.split())
    places = [(round(word.get_position()[1], 3), word.get_position()[0]) for word in words]
    assert places == sorted(places)
    assert len({line for line, _ in places}) > 3
    renderer = figure.canvas.get_renderer()
    width = figure.get_size_inches()[0] * figure.dpi
    assert all(word.get_window_extent(renderer).x1 <= width for word in words)


def test_the_figure_paints_by_weight_and_stops_somewhere(tmp_path):
    figure = attention_words("not good", classified("not good", [0.2, 0.8]))
    assert [box.get_alpha() for box in words_of(figure)[3]] == [pytest.approx(0.25), 1.0]
    long = "good\n" * 500
    figure = attention_words(long, classified(long))
    assert figure.get_size_inches()[1] < 41
    _, words, note, _ = words_of(figure)
    assert len(words) < 200
    assert note.get_text().startswith("…")
    with pytest.raises(ValueError, match=r"must end with \.png"):
        attention_words("good", classified("good"), tmp_path / "words.gif")


def test_words_without_any_weight_are_not_painted():
    result = classified("good")._replace(tokens=[TokenWeight("good", 0, 4, 0.0)])
    assert "0.000)" in attention_page("good", result)
    assert words_of(attention_words("good", result))[3][0].get_alpha() == 0
