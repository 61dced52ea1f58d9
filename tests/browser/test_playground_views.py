"""What the views show of the models' answers, and how it follows pointer and keys."""

import json
import re

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def _submit(page, text):
    page.get_by_label("Text", exact=True).fill(text)
    page.locator("button.main").click()
    expect(page.locator(".results")).to_contain_text("Answered in")


def _numbers(locator):
    return locator.locator(".number").all_inner_texts()


# Translation.


def test_translation_attention_and_beam(open_page):
    page = open_page("#model=shouter")
    _submit(page, "a small dog")
    expect(page.locator(".translation")).to_have_text("A SMALL DOG")
    expect(page.locator(".results")).to_contain_text("Score −0.125")
    heat = page.get_by_role("table", name="Attention in percent")
    assert heat.get_by_role("columnheader").all_inner_texts() == ["a", "small", "dog", "⟨end⟩"]
    assert heat.get_by_role("rowheader").all_inner_texts() == ["A", "SMALL", "DOG", "⟨end⟩"]
    cells = heat.locator("tbody tr").nth(1).locator("td")
    assert cells.all_inner_texts() == ["5", "85", "5", "5"]
    beam = page.get_by_role("table", name="Hypotheses")
    assert beam.locator("tbody tr").all_inner_texts() == [
        "1\tA SMALL DOG\t−0.125",
        "2\ta small dog\t−1.500",
    ]


def test_a_word_under_the_pointer_lights_up_what_it_looked_at(open_page):
    page = open_page("#model=shouter&text=a+small+dog")
    sources = page.get_by_role("toolbar", name="Words of the source")
    targets = page.get_by_role("toolbar", name="Words of the translation")
    targets.get_by_role("button", name="DOG").hover()
    assert _numbers(sources) == ["5", "5", "85", "5"]
    expect(page.locator(".readout")).to_contain_text("“DOG” looked at dog 85%")
    assert page.locator(".heat tr.chosen th").all_inner_texts() == ["DOG"]
    strong, weak = (
        sources.get_by_role("button")
        .nth(index)
        .evaluate("(button) => getComputedStyle(button).getPropertyValue('--weight')")
        for index in (2, 0)
    )
    assert (strong, weak) == ("0.850", "0.050")
    # And the other way round, from a word of the source, and from the table.
    sources.get_by_role("button", name="small").hover()
    assert _numbers(targets) == ["5", "85", "5", "5"]
    expect(page.locator(".readout")).to_contain_text("“small” was looked at by SMALL 85%")
    page.locator(".heat tbody tr").first.locator("td").nth(2).hover()
    expect(page.locator(".readout")).to_contain_text("“A” looked at a 85%")


def test_the_keyboard_does_what_the_pointer_does(open_page):
    page = open_page("#model=shouter")
    area = page.get_by_label("Text", exact=True)
    area.fill("a small dog")
    area.press("Control+Enter")
    expect(page.locator(".translation")).to_have_text("A SMALL DOG")
    targets = page.get_by_role("toolbar", name="Words of the translation")
    targets.get_by_role("button").first.focus()
    expect(page.locator(".readout")).to_contain_text("“A” looked at a 85%")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".readout")).to_contain_text("“SMALL” looked at small 85%")
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_contain_text("“⟨end⟩” looked at ⟨end⟩ 85%")
    # The words are one stop of the tab key.
    page.keyboard.press("Tab")
    expect(page.get_by_role("region", name="Table of the attention")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(targets.get_by_role("button", name="end")).to_be_focused()


def test_a_translator_without_attention_or_beam(open_page):
    page = open_page("#model=plain")
    _submit(page, "a small dog")
    expect(page.locator(".translation")).to_have_text("A SMALL DOG")
    assert page.locator(".results table").count() == 0


# Classification.


def test_classes_and_painted_words(open_page):
    page = open_page("#model=mood")
    text = "😀😀 a good\n  film 👩‍👩‍👧 déjà-vu!"
    _submit(page, text)
    expect(page.locator(".label")).to_have_text("positive90%")
    bars = page.get_by_role("table", name="Probability of each class").get_by_role("cell")
    assert bars.all_text_contents() == ["10.0%", "90.0%"]
    shares = "(bars) => bars.map((bar) => getComputedStyle(bar).getPropertyValue('--weight'))"
    assert page.locator(".bar").evaluate_all(shares) == ["0.100", "0.900"]
    # The text is whole, and each painted part is a word of it.
    assert page.locator(".painted").evaluate("(element) => element.textContent") == text
    words = page.locator(".word").all_inner_texts()
    assert words == ["😀", "😀", "a", "good", "film", "👩‍👩‍👧", "déjà-vu", "!"]
    page.get_by_text("The weights as a table").click()
    rows = page.get_by_role("table", name="Words, heaviest first").locator("tbody tr")
    assert rows.first.inner_text() == "déjà-vu\t29.2%"
    assert page.locator(".word").evaluate_all(shares)[6] == "1.000"


def test_classes_have_their_names(open_page):
    page = open_page("#model=mood")
    _submit(page, "bad")
    expect(page.locator(".label")).to_have_text("negative80%")
    bars = page.get_by_role("table", name="Probability of each class")
    assert bars.get_by_role("rowheader").all_inner_texts() == ["negative", "positive"]
    assert bars.get_by_role("cell").all_text_contents() == ["80.0%", "20.0%"]


def test_of_several_labels_all_that_reach_their_threshold_are_shown(open_page):
    page = open_page("#model=remarks")
    _submit(page, "slow, noisy and cheap")
    expect(page.locator(".label")).to_have_text(["cheap90%", "slow80%"])
    bars = page.get_by_role("table", name="Probability of each label, each by itself")
    rows = [row.split("\t") for row in bars.locator("tbody tr").all_inner_texts()]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["cheap", "90.0%", "50.0%"],
        ["slow", "80.0%", "25.0%"],
        ["noisy", "70.0%", "75.0%"],
    ]
    several = re.compile("remarks:predict$")
    nothing = {"chosen": [False], "probabilities": [0.1], "labels": ["odd"], "thresholds": [0.5]}
    page.route(several, lambda route: route.fulfill(json={"predictions": [nothing]}))
    _submit(page, "a quiet place")
    expect(page.locator(".label")).to_have_text("None of the labels")


# Names.


def test_names_are_marked_where_they_stand(open_page):
    page = open_page("#model=capitals")
    text = "🎉🎉 Ada flew\nto Lisbon & Österreich"
    _submit(page, text)
    marks = page.locator(".marked mark")
    assert marks.all_inner_texts() == ["AdaPER", "LisbonLOC", "ÖsterreichPER"]
    assert marks.nth(0).get_attribute("class") == marks.nth(2).get_attribute("class")
    assert marks.nth(0).get_attribute("class") != marks.nth(1).get_attribute("class")
    whole = page.locator(".marked").evaluate(
        "(element) => { const copy = element.cloneNode(true);"
        " copy.querySelectorAll('.tag').forEach((tag) => tag.remove()); return copy.textContent; }"
    )
    assert whole == text
    assert page.get_by_role("list", name="Types").get_by_role("listitem").all_inner_texts() == [
        "PER × 2",
        "LOC × 1",
    ]
    rows = page.get_by_role("table", name="Names in the order of the text").locator("tbody tr")
    assert rows.all_inner_texts()[1] == "Lisbon\tLOC\t87.5%\t15–21"


def test_a_text_without_names(open_page):
    page = open_page("#model=capitals")
    _submit(page, "nothing here")
    expect(page.locator(".answer")).to_contain_text("0 names found")
    expect(page.locator(".marked")).to_have_text("nothing here")


# Any model.


def test_a_form_for_any_signature(open_page):
    page = open_page("#model=repeat")
    steps = page.get_by_label("steps", exact=True)
    assert steps.input_value() == "[[0.0], [0.0]]"
    expect(page.locator("#input-2-what")).to_have_text(
        "float, shape [batch, 2, any]. JSON, one row of the batch."
    )
    steps.fill("[[1.5, 2], [3, 4]]")
    page.get_by_label("name", exact=True).fill('"A" & b\n')
    page.get_by_label("id", exact=True).fill("9007199254740993")  # not a number of JavaScript's
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("9007199254740994")
    assert json.loads(page.locator(".answer pre").inner_text()) == {
        "outputs": {"sum": [10.5], "name": ['"A" & b\n!'], "id": [9007199254740994]}
    }
    page.get_by_label("Signature").select_option("half")
    page.get_by_label("x", exact=True).fill("[[3], [4]]")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("1.5")


def test_a_model_whose_task_nobody_knows(open_page):
    """One text in, whatever comes out; the address leads back to it."""
    page = open_page("#model=dates")
    expect(page.get_by_label("day", exact=True)).to_have_value("Some text")
    expect(page.locator("#input-0-what")).to_have_text(
        "string, shape [batch]. Plain text, one row of the batch."
    )
    page.get_by_label("day", exact=True).fill("3.10.2017")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("2017-10-3")
    answer = {
        "outputs": {
            "iso": ["2017-10-3"],
            "certain": [True],
            "parts": [["3", "10", "2017"]],
            "lengths": [[1, 2, 4]],
        }
    }
    assert json.loads(page.locator(".answer pre").inner_text()) == answer
    again = open_page(page.evaluate("location.hash"))
    expect(again.locator(".answer pre")).to_contain_text("2017-10-3")


def test_names_alone_do_not_make_a_translator(open_page):
    page = open_page("#model=haiku")
    page.get_by_label("text", exact=True).fill("frog")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("FROG")


def test_what_is_not_json_is_said_beside_its_field(open_page):
    page = open_page("#model=repeat")
    page.get_by_label("id", exact=True).fill("seven")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_contain_text("The input “id” is not JSON")
    expect(page.get_by_label("id", exact=True)).to_be_focused()
    expect(page.get_by_label("id", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("id", exact=True).fill("7")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator(".answer pre")).to_contain_text("8")
    expect(page.get_by_role("alert")).to_be_empty()
