"""The boxes beside the form: what they hold runs, and they stay small and readable."""

import json
import subprocess
import sys

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def _await_answer(page):
    expect(page.locator(".results")).to_contain_text("Answered in")


def _run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_script_in_python_does_what_the_page_does(open_page):
    page = open_page("#model=shouter")
    page.get_by_label("Text", exact=True).fill('it\'s "so" \\ true null ü 😀\n\u2028x')
    page.get_by_role("button", name="Translate").click()
    _await_answer(page)
    attention, beam = _run(page.locator(".script pre").inner_text()).splitlines()
    shown = 'IT\'S "SO" \\ TRUE NULL Ü 😀\n\u2028X'
    assert eval(attention)["predictions"][0]["translation"] == shown
    assert eval(beam)["predictions"][0]["translations"][0] == shown


def test_the_script_sends_what_was_typed_as_json(open_page):
    page = open_page("#model=repeat")
    page.get_by_label("steps", exact=True).fill("[[1.5, 2], [3, 4e0]]")
    page.get_by_label("name", exact=True).fill('"true"')
    page.get_by_label("id", exact=True).fill("9007199254740993")
    page.get_by_role("button", name="Predict").click()
    _await_answer(page)
    outputs = eval(_run(page.locator(".script pre").inner_text()))
    assert outputs == json.loads(page.locator(".answer pre").inner_text())
    assert outputs["outputs"]["id"] == [9007199254740994]


@pytest.mark.parametrize(
    ("json_text", "value"),
    [
        ("[true, false, null]", [True, False, None]),
        (r'["a\/b", "\ud83d\ude42", "\"true\\"]', ["a/b", "🙂", '"true\\']),
        ('{"b64": "AAAA"}', {"b64": "AAAA"}),
    ],
)
def test_json_becomes_python(open_page, json_text, value):
    page = open_page("#model=mood")
    script = page.evaluate(
        """async (body) =>
             (await import("/playground/snippets.js")).pythonScript("u", [{ body }])""",
        json_text,
    )
    prefix, call = script.split("\n\n")[0], script.splitlines()[-1]
    names = {"predict": lambda body: body, "print": lambda body: body}
    assert prefix.startswith("import json")
    assert eval(call, names) == value


@pytest.mark.parametrize("width", [390, 1280])
def test_the_boxes_are_small_and_keep_the_address_in_one_piece(open_page, width):
    page = open_page("#model=mood", width=width)
    page.get_by_label("Text", exact=True).fill("A good film. " * 300)
    boxes = page.locator(".calls pre")
    assert boxes.count() == 2
    assert all(box.bounding_box()["height"] <= 200 for box in boxes.all())
    # One line of text is one rectangle.
    assert page.locator(".url").evaluate("(url) => url.getClientRects().length") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_script_is_copied(open_page):
    page = open_page("#model=mood", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the script in Python").click()
    expect(page.locator(".script button")).to_have_text("Copied")
    script = page.locator(".script pre").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == script
