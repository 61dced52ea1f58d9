"""A language model in the playground: typed word by word, painted, stopped, and refused."""

import re
import shutil
import subprocess
import sys

import pytest

from tests import corpus
from tests.browser.running import playground
from zoo import export

expect = pytest.importorskip("playwright.sync_api").expect

TEXT = "The company 🙂 xyzzy, said"
GREEDY = f"#model=tiny&text={TEXT}&temperature=0&words=12"
PATIENCE = 30_000  # milliseconds: a call for each word, on a machine that has other work
DRAWN = f"#model=tiny&text={TEXT}&temperature=2&words=12&seed=3"


@pytest.fixture(scope="module")
def model():
    return corpus.tiny_language_model()


@pytest.fixture(scope="module")
def url(model, tmp_path_factory):
    base = tmp_path_factory.mktemp("models") / "tiny"
    export.saved_model(model, base, verify=False)
    with playground({"tiny": base}) as address:
        yield address


@pytest.fixture(scope="module")
def completed(model):
    """What the verb writes, the most probable word each time."""
    words = model.complete(TEXT, max_tokens=12, temperature=0).split()
    assert len(words) == 12
    assert len(set(words)) > 4
    return words


def _typed(page, told="Wrote"):
    """The words that the model wrote, once it is done."""
    expect(page.locator(".progress")).to_contain_text(told, timeout=PATIENCE)
    return page.locator(".word.written").all_inner_texts()


def _painted(page):
    return page.locator(".painted").evaluate("(element) => element.textContent")


def test_an_example_is_written_when_the_page_opens(open_page):
    page = open_page("#model=tiny")
    assert len(_typed(page)) <= 20
    assert page.evaluate("location.hash") == "#model=tiny"
    expect(page.locator("#announcer")).to_contain_text("Wrote: ", timeout=PATIENCE)


def test_what_is_typed_is_what_complete_gives(open_page, model, completed):
    page = open_page(GREEDY)
    assert _typed(page, "Wrote 12 words in") == completed
    # The text is whole, and what is read of it is painted by its score.
    assert _painted(page) == f"{TEXT} {' '.join(completed)}"
    scored = model.score(TEXT)
    assert page.locator(".word.given").all_inner_texts() == scored.tokens
    page.get_by_text("The words as a table").click()
    rows = page.get_by_role("table", name="Words in the order").locator("tbody tr")
    surprise = [float(row.split("\t")[2].split()[0]) for row in rows.all_inner_texts()]
    expected = [-of / 0.693147 for of in scored.log_probabilities]
    assert surprise[: len(expected)] == pytest.approx(expected, abs=0.051)
    assert len(surprise) == len(expected) + 12
    expect(page.locator(".results")).to_contain_text(f"text: {scored.perplexity:.1f} (4 words)")


def test_a_word_tells_its_probability_to_pointer_and_keys(open_page, completed):
    page = open_page(GREEDY)
    _typed(page)
    readout = page.locator(".readout")
    page.get_by_role("button", name="xyzzy").hover()
    expect(readout).to_contain_text("The model does not know “xyzzy”")
    words = page.get_by_role("toolbar", name="Words of the text")
    words.get_by_role("button").first.focus()
    expect(readout).to_contain_text(re.compile(r"“The” had [\d.]+%, [\d.]+ bits of surprise\.$"))
    page.keyboard.press("End")
    expect(readout).to_contain_text(f"“{completed[-1]}” had")
    expect(readout).to_contain_text("Else: ")
    # All words are one stop of the tab key, those that came later too.
    page.keyboard.press("Tab")
    expect(page.locator(".attention summary")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(words.get_by_role("button").last).to_be_focused()


def test_an_address_draws_the_same_words_and_another_seed_others(open_page, completed):
    page = open_page(DRAWN)
    first = _typed(page)
    page.get_by_role("button", name="Write other words").click()
    expect(page.get_by_label("Seed")).to_have_value("4")
    expect(page.locator("#announcer")).to_contain_text("Wrote: ", timeout=PATIENCE)
    other = _typed(page)
    again = open_page("#" + page.url.partition("#")[2])
    assert _typed(again) == other
    assert len({*map(tuple, (first, other, completed))}) == 3
    again.get_by_label("Of the likeliest").fill("1")
    again.get_by_label("Of the likeliest").press("Enter")
    expect(again.locator(".word.written").nth(11)).to_be_visible(timeout=PATIENCE)
    assert _typed(again) == completed


def test_drawing_follows_the_probabilities(open_page):
    page = open_page("#model=tiny")
    counts = page.evaluate(
        """async () => {
             const { draw } = await import("/playground/drawing.js");
             const drawing = { temperature: 0.5, topK: 2 };
             const counts = [0, 0, 0];
             for (let seed = 0; seed < 100; seed++)
               for (let time = 0; time < 100; time++)
                 counts[draw([0.6, 0.3, 0.1].map(Math.log), { ...drawing, seed }, time)]++;
             return counts;
           }"""
    )
    assert counts[2] == 0
    assert counts[0] / 10_000 == pytest.approx(0.36 / 0.45, abs=0.02)


def _let_steps_pass(page, count, then):
    """The first `count` steps are answered; `then` is told the route of each later one."""
    passed = []

    def answer(route):
        if '"step"' not in route.request.post_data or len(passed) < count:
            passed.append('"step"' in route.request.post_data)
            passed[:] = [of for of in passed if of]
            route.continue_()
        else:
            then(route)

    page.route(re.compile(":predict$"), answer)


def test_stop_keeps_what_was_written(open_page, completed):
    page = open_page(GREEDY)
    _typed(page)
    _let_steps_pass(page, 3, lambda route: None)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator(".spinner")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text("Writing …")
    expect(page.locator(".word.written")).to_have_count(3, timeout=PATIENCE)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Stop").click()
    assert _typed(page, "Stopped") == completed[:3]
    expect(page.get_by_role("button", name="Write", exact=True)).to_be_focused()


def test_what_is_typed_while_waiting_changes_nothing(open_page, completed):
    page = open_page(GREEDY)
    _typed(page)
    held = []

    def hold_one(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(":predict$"), hold_one)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Words", exact=True).fill("2")
    page.get_by_label("Temperature").fill("hot")
    held[0].continue_()
    assert _typed(page, "Wrote 12 words in") == completed


def test_an_error_in_the_midst_keeps_what_was_written(open_page, completed):
    page = open_page(GREEDY, quiet=False)
    _typed(page)
    wrong = {"status": 429, "json": {"error": "too busy"}}
    _let_steps_pass(page, 2, lambda route: route.fulfill(**wrong))
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("too busy", timeout=PATIENCE)
    assert page.locator(".word.written").all_inner_texts() == completed[:2]
    expect(page.locator(".progress")).to_be_empty()


def test_what_is_no_setting_is_told_before_it_is_sent(open_page):
    page = open_page("#model=tiny&text=it&words=0")
    expect(page.locator(".progress")).to_contain_text("Answered in")
    for label, value, message in (
        ("Words", "501", "“Words” must be a whole number from 0 to 500."),
        ("Words", "1.5", "“Words” must be a whole number"),
        ("Temperature", "-1", "“Temperature” must be a number at least 0."),
        ("Temperature", "hot", "“Temperature” must be"),
        ("Of the likeliest", "0", "“Of the likeliest” must be a whole number from 1 to 11."),
        ("Seed", "", "“Seed” must be a whole number"),
    ):
        field = page.get_by_label(label, exact=True)
        before = field.input_value()
        field.fill(value)
        expect(page.locator(".calls")).to_contain_text(message)
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(message)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        field.fill(before)


def test_no_words_paint_the_text_alone(open_page):
    page = open_page("#model=tiny&text=said+it+rose&words=0", width=390, color_scheme="dark")
    expect(page.locator(".progress")).to_contain_text("Answered in")
    assert page.locator(".word").all_inner_texts() == ["said", "it", "rose"]
    assert page.get_by_role("button", name="Write other words").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(page)
    assert axe.violations_count == 0, axe.generate_report()


def test_an_empty_text_begins_a_new_one(open_page):
    page = open_page("#model=tiny&text=&words=3&temperature=9")
    written = _typed(page)
    assert _painted(page) == " ".join(written)


def test_the_programs_write_the_same(open_page, completed):
    page = open_page(GREEDY)
    _typed(page)
    shell, python = page.locator(".script pre").all_inner_texts()
    commands = [[sys.executable, "-c", python]]
    if shutil.which("curl") and shutil.which("jq"):
        commands.append(["sh", "-c", shell])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.stdout.split() == completed, done.stderr
    page.get_by_label("Temperature").fill("2")
    drawn = page.locator(".script pre").last.inner_text()
    done = subprocess.run([sys.executable, "-c", drawn], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()
