"""The page around the views: addresses, errors, commands, themes, widths and accessibility."""

import json
import re
import shlex
import urllib.request

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

MODELS = ["shouter", "plain", "mood", "capitals", "repeat", "dates", "haiku", "remarks"]
ANSWERS = {
    "shouter": "#model=shouter&text=a+rather+long+sentence+about+two+dogs+that+run+and+one+cat",
    "mood": "#model=mood&text=A+good+film.",
    "capitals": "#model=capitals&text=Ada+in+Lisbon",
    "remarks": "#model=remarks&text=cheap+and+slow",
    "repeat": "#model=repeat&signature=half&in.x=[2]",
    "dates": "#model=dates&signature=serving_default&in.day=3.10.2017",
}


def _await_answer(page):
    expect(page.locator(".results")).to_contain_text("Answered in")


# Addresses.


def test_models_are_chosen_in_the_list(open_page):
    page = open_page()
    models = page.get_by_role("navigation", name="Models")
    assert models.get_by_role("link").all_inner_texts() == MODELS
    expect(page.get_by_role("heading", name="shouter")).to_be_visible()
    models.get_by_role("link", name="capitals").click()
    expect(page.get_by_role("button", name="Find names")).to_be_visible()
    expect(models.get_by_role("link", name="capitals")).to_have_attribute("aria-current", "page")
    expect(models.get_by_role("link", name="capitals")).to_be_focused()
    assert page.title() == "capitals · RNN Playground"
    page.go_back()
    expect(page.get_by_role("button", name="Translate")).to_be_visible()


def test_the_address_tells_what_was_sent(open_page):
    text = '50 % of "dogs" & cats?\n#ok 😀 ü'
    page = open_page("#model=shouter")
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Translate").click()
    _await_answer(page)
    again = open_page(page.evaluate("location.hash"))
    _await_answer(again)
    assert again.get_by_label("Text", exact=True).input_value() == text
    expect(again.locator(".translation")).to_have_text(text.upper())


def test_an_example_is_sent_at_a_click(open_page):
    page = open_page()
    page.get_by_role("list", name="Examples").get_by_role("button").nth(1).click()
    expect(page.locator(".translation")).to_have_text(re.compile("^TWO CHILDREN"))


# Commands.


@pytest.mark.parametrize("model", ["shouter", "repeat"])
def test_the_command_does_what_the_page_does(open_page, model):
    page = open_page(f"#model={model}")
    text = 'it\'s "so" $HOME `x` \\ !! ü 😀\nnew line\t</script>'
    page.get_by_label("name" if model == "repeat" else "Text", exact=True).fill(text)
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data)))
    page.locator("button.main").click()
    _await_answer(page)
    sent = [(url, body) for url, body in sent if body]
    commands = [shlex.split(command) for command in page.locator(".command pre").all_inner_texts()]
    assert [(url, body) for _, _, body, url in commands] == sent
    for program, flag, body, url in commands:
        assert (program, flag) == ("curl", "-d")
        with urllib.request.urlopen(url, body.encode()) as answer:
            json.load(answer)


def test_the_command_is_copied(open_page):
    page = open_page("#model=mood", permissions=["clipboard-read", "clipboard-write"])
    command = page.locator(".command").first
    command.get_by_role("button").click()
    expect(command.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == command.locator("pre").inner_text()


# What can go wrong.


def test_the_models_error_is_shown_in_its_words(open_page):
    page = open_page(quiet=False)
    page.get_by_label("Text", exact=True).fill("word " * 21)
    page.get_by_role("button", name="Translate").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The server answered 400 Bad Request")
    expect(alert).to_contain_text("`text` must have at most 20 words.")
    page.get_by_label("Text", exact=True).fill("word")
    page.get_by_role("button", name="Translate").click()
    _await_answer(page)
    expect(alert).to_be_empty()


def test_no_network(open_page):
    page = open_page("#model=mood", quiet=False)
    expect(page.get_by_role("button", name="Classify")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")


def test_a_model_that_is_not_loaded_yet_is_waited_for(open_page):
    page = open_page("#model=capitals", quiet=False)
    gone = {"error": "Servable not found for request: Latest(mood)"}
    loading = {"version": "7", "state": "LOADING", "status": {"error_message": ""}}
    page.route(re.compile("mood/metadata$"), lambda route: route.fulfill(status=404, json=gone))
    page.route(
        re.compile("mood$"), lambda route: route.fulfill(json={"model_version_status": [loading]})
    )
    page.get_by_role("link", name="mood").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Servable not found for request: Latest(mood)")
    expect(alert).to_contain_text("Version 7: LOADING")
    expect(alert).to_have_class("problem waiting")
    page.unroute_all()
    expect(page.get_by_role("button", name="Classify")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.get_by_role("alert")).to_have_class("problem")


def test_a_late_answer_does_not_replace_a_newer_one(open_page):
    page = open_page("#model=mood")
    expect(page.get_by_role("button", name="Classify")).to_be_visible()
    page.wait_for_load_state("networkidle")
    held = []
    page.route(re.compile(":predict$"), lambda route: held.append(route))
    area = page.get_by_label("Text", exact=True)
    area.fill("good")
    page.get_by_role("button", name="Classify").click()
    page.wait_for_function("document.querySelector('.answer').ariaBusy === 'true'")
    area.fill("bad")
    page.get_by_role("button", name="Classify").click()
    page.wait_for_timeout(100)
    assert len(held) == 2
    for route in reversed(held):
        route.continue_()
    expect(page.locator(".label")).to_have_text("negative80%")
    page.wait_for_timeout(100)
    expect(page.locator(".label")).to_have_text("negative80%")


def test_markup_in_texts_stays_text(open_page):
    attack = '<img src=x onerror="document.title=1"><b>Bold</b>'
    for model in ("shouter", "mood", "capitals"):
        page = open_page(f"#model={model}")
        page.get_by_label("Text", exact=True).fill(attack)
        page.locator("button.main").click()
        _await_answer(page)
        assert page.locator("main img, main b").count() == 0


# For every reader.


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("model", ANSWERS)
def test_axe_finds_nothing_and_nothing_is_too_wide(open_page, model, theme):
    page = open_page(ANSWERS[model], width=390, color_scheme=theme)
    _await_answer(page)
    if model == "shouter":
        page.locator(".chips button").last.focus()
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_results_are_announced(open_page):
    page = open_page(ANSWERS["capitals"])
    _await_answer(page)
    expect(page.locator("#announcer")).to_have_text("2 names found")
    expect(page.locator("#announcer")).to_have_attribute("role", "status")


def test_the_theme_follows_the_system_until_it_is_switched(open_page):
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    switch = page.get_by_role("switch", name="Dark theme")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    light = page.evaluate(background)
    assert light != dark
    page.reload()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert page.evaluate(background) == light


def test_the_page_can_be_walked_with_the_tab_key(open_page):
    page = open_page("#model=mood")
    expect(page.get_by_role("button", name="Classify")).to_be_visible()
    stops = []
    for _ in range(len(MODELS) + 8):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        )
    assert stops[:-5] == ["Skip to the model", "theme", *MODELS, "text"]
    assert stops[-2:] == ["Classify", "Copy"]


def test_the_first_link_skips_the_list_of_models(open_page):
    page = open_page("#model=mood")
    expect(page.get_by_role("button", name="Classify")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    assert page.evaluate("location.hash") == "#model=mood"
