"""What is rare in an answer: certainty, weights of zero, tables that are too wide."""

import json
import shlex
import urllib.request

import pytest

from tests.browser.edge_models import save_edges
from tests.browser.running import playground

expect = pytest.importorskip("playwright.sync_api").expect
Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with playground(save_edges(tmp_path_factory.mktemp("edges"))) as address:
        yield address


def _await_answer(page):
    expect(page.locator(".results")).to_contain_text("Answered in")


# Numbers.


@pytest.mark.parametrize(
    ("text", "share", "bars"),
    [("good", ">99%", ["0.0%", ">99.9%"]), ("sure", "100%", ["0.0%", "100.0%"])],
)
def test_100_percent_is_said_of_all_alone(open_page, text, share, bars):
    page = open_page(f"#model=certain&text={text}")
    expect(page.locator(".label")).to_have_text(f"positive{share}")
    cells = page.get_by_role("table", name="Probability of each class").get_by_role("cell")
    assert cells.all_text_contents() == bars


def test_words_of_weight_zero_have_no_mark(open_page):
    page = open_page("#model=certain&text=one+two+three")
    _await_answer(page)
    assert page.locator(".word").all_inner_texts() == ["one"]
    assert page.locator(".painted").inner_text() == "one two three"
    page.get_by_text("The weights as a table").click()
    rows = page.get_by_role("table", name="Words, heaviest first").locator("tbody tr")
    assert rows.all_inner_texts() == ["one\t100.0%", "two\t0.0%", "three\t0.0%"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zeros_are_faint_but_can_be_read(open_page, theme):
    page = open_page("#model=literal&text=one+two+three", color_scheme=theme)
    _await_answer(page)
    colour = "(cell) => getComputedStyle(cell).color"
    cells = page.locator(".heat tbody tr").first.locator("td")
    assert cells.all_inner_texts() == ["100", "0", "0"]
    assert cells.nth(1).evaluate(colour) != cells.nth(0).evaluate(colour)
    page.locator(".chips button").first.focus()
    expect(page.locator(".number.zero")).to_have_count(2)
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []


# Width.


def test_a_table_that_is_too_wide_shows_where_it_goes_on(open_page):
    words = "+".join(["word"] * 20)
    page = open_page(f"#model=literal&text={words}", width=390)
    _await_answer(page)
    region = page.get_by_role("region", name="Table of the attention")
    frame = page.locator(".frame", has=region)
    expect(frame).to_have_class("frame more-after")
    edge = "(frame) => getComputedStyle(frame, '::after').borderRightWidth"
    assert frame.evaluate(edge) == "2px"
    region.evaluate("(region) => region.scrollTo(100, 0)")
    expect(frame).to_have_class("frame more-after more-before")
    region.evaluate("(region) => region.scrollTo(10_000, 0)")
    expect(frame).to_have_class("frame more-before")
    page.set_viewport_size({"width": 2500, "height": 900})
    page.goto(f"{page.url.partition('#')[0]}#model=literal&text=a+b")
    expect(page.locator(".heat tbody tr")).to_have_count(2)
    expect(page.locator(".frame", has=region)).to_have_class("frame")


# Doubts.


@pytest.mark.parametrize(("model", "answer"), [("certain", "positive"), ("literal", "maybe so")])
def test_an_answer_of_low_confidence_is_said_to_be(open_page, model, answer):
    page = open_page(f"#model={model}&text=maybe+so", width=390)
    _await_answer(page)
    expect(page.locator(".doubt")).to_contain_text("Low confidence: the model itself takes")
    expect(page.locator("#announcer")).to_contain_text("Low confidence")
    expect(page.locator(".answer")).to_contain_text(answer)
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("Text", exact=True).fill("surely")
    page.locator("button.main").click()
    _await_answer(page)
    expect(page.locator(".doubt")).to_have_count(0)


# Inputs that are no text.


def _send_command(page):
    _, _, body, url = shlex.split(page.locator(".command pre").inner_text())
    with urllib.request.urlopen(url, body.encode()) as answer:
        return json.load(answer)["outputs"]


def test_the_command_for_a_picture_has_its_shape(open_page):
    page = open_page("#model=picture", width=390)
    expect(page.get_by_label("image", exact=True)).to_be_visible()
    assert _send_command(page) == [0.0]
    assert page.locator(".command pre").bounding_box()["height"] <= 200
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Predict").click()
    _await_answer(page)


def test_what_to_put_in_for_a_large_picture_is_said(open_page):
    page = open_page("#model=picture")
    page.get_by_label("Signature").select_option("large")
    hint = (
        "The input “image” is empty. It takes JSON of shape [224, 224, 3], lists within lists; in "
        "Python such as numpy.zeros([224, 224, 3]).tolist()."
    )
    expect(page.locator(".calls .note")).to_have_text(hint)
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_have_text(hint)
    row = [[[0.5] * 3] * 224] * 224
    page.get_by_label("image", exact=True).fill(json.dumps(row))
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("0.5")


def test_bytes_are_written_in_base64(open_page):
    page = open_page("#model=picture")
    page.get_by_label("Signature").select_option("file")
    area = page.get_by_label("image_bytes", exact=True)
    assert area.input_value() == '{"b64": ""}'
    expect(page.locator("#input-0-what")).to_have_text(
        'string, shape [batch]. JSON, bytes as {"b64": "Base64"}, one row of the batch.'
    )
    area.fill('{"b64": "AAEC"}')
    assert _send_command(page) == [3]
