"""The way through the page: what stays, what is answered at once, waiting and calling it off."""

import re

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

PREDICT = re.compile(":predict$")


def _await_answer(page):
    expect(page.locator(".results")).to_contain_text("Answered in")


def _go_to(page, model):
    page.get_by_role("navigation", name="Models").get_by_role("link", name=model).click()


def _fill(page, text):
    page.get_by_label("Text", exact=True).fill(text)


def _count_calls(page):
    calls = []
    page.on("request", lambda request: PREDICT.search(request.url) and calls.append(request))
    return calls


# What is there when a model is opened.


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        ("shouter", "A DOG RUNS THROUGH THE SNOW."),
        ("mood", "negative80%"),
        ("capitals", "5 names found"),
    ],
)
def test_the_first_example_is_answered_when_the_page_opens(open_page, model, answer):
    page = open_page(f"#model={model}")
    _await_answer(page)
    expect(page.locator(".answer > p").first).to_have_text(answer)
    # Nobody has sent anything: the address is still that of the model alone.
    assert page.evaluate("location.hash") == f"#model={model}"


def test_nothing_is_made_up_for_a_model_that_nobody_knows(open_page):
    page = open_page("#model=dates")
    calls = _count_calls(page)
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    page.wait_for_timeout(100)
    assert calls == []


def test_a_model_that_does_not_exist_is_said(open_page):
    page = open_page("#model=foo%3Cb%3E")
    expect(page.get_by_role("heading", name="No such model")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text(
        "This server has no model named “foo<b>”. Choose one of those above."
    )
    assert page.locator("nav [aria-current]").count() == 0
    _go_to(page, "mood")
    _await_answer(page)


# What stays.


def test_text_and_answer_stay_while_another_model_is_looked_at(open_page):
    page = open_page("#model=mood")
    _fill(page, "A good film")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".label")).to_have_text("positive90%")
    _fill(page, "A good film, I th")
    sent = page.evaluate("location.hash")
    _go_to(page, "capitals")
    _await_answer(page)
    calls = _count_calls(page)
    _go_to(page, "mood")
    expect(page.get_by_role("heading", name="mood")).to_be_visible()
    assert page.get_by_label("Text", exact=True).input_value() == "A good film, I th"
    assert page.locator(".label").inner_text() == "positive90%"
    assert page.evaluate("location.hash") == sent
    assert [call.url for call in calls if "mood" in call.url] == []


def test_an_answer_that_comes_while_another_model_is_looked_at_waits_there(open_page):
    page = open_page("#model=mood")
    _await_answer(page)
    held = []
    page.route(re.compile("mood:predict$"), lambda route: held.append(route))
    _fill(page, "A good film")
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    _go_to(page, "capitals")
    _await_answer(page)
    held[0].continue_()
    page.wait_for_timeout(200)
    expect(page.locator("#announcer")).to_contain_text("names found")
    _go_to(page, "mood")
    expect(page.locator(".label")).to_have_text("positive90%")


def test_an_address_with_another_text_is_followed(open_page):
    page = open_page("#model=mood&text=good")
    expect(page.locator(".label")).to_have_text("positive90%")
    page.evaluate("location.hash = '#model=mood&text=bad'")
    expect(page.locator(".label")).to_have_text("negative80%")
    assert page.get_by_label("Text", exact=True).input_value() == "bad"


def test_the_fields_of_the_plain_form_stay(open_page):
    page = open_page("#model=repeat")
    page.get_by_label("Signature").select_option("half")
    page.get_by_label("x", exact=True).fill("[8]")
    _go_to(page, "mood")
    _await_answer(page)
    _go_to(page, "repeat")
    expect(page.get_by_label("x", exact=True)).to_have_value("[8]")


# Waiting.


def test_a_slow_call_can_be_cancelled_and_no_old_answer_is_shown(open_page):
    page = open_page("#model=mood&text=good")
    expect(page.locator(".label")).to_have_text("positive90%")
    held = []
    page.route(PREDICT, lambda route: held.append(route))
    _fill(page, "bad")
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".spinner")).to_be_visible()
    expect(page.locator(".results")).to_contain_text("Waiting for the server …")
    expect(page.locator(".label")).not_to_be_visible()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".progress")).to_have_text("Cancelled")
    assert page.locator(".answer").inner_html() == ""
    expect(page.get_by_role("button", name="Classify")).to_be_focused()
    page.unroute_all()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator(".label")).to_have_text("negative80%")


# What is not sent.


@pytest.mark.parametrize("text", ["", " \n\t\u3000", "\u200b\u00ad\u2060"])
def test_a_blank_text_is_told_and_not_sent(open_page, text):
    page = open_page("#model=mood&text=good")
    _await_answer(page)
    calls = _count_calls(page)
    area = page.get_by_label("Text", exact=True)
    area.fill(text)
    page.get_by_role("button", name="Classify").click()
    expect(page.get_by_role("alert")).to_have_text(
        "The text is blank. Write something, or choose an example."
    )
    expect(area).to_be_focused()
    expect(area).to_have_attribute("aria-invalid", "true")
    assert page.locator(".answer").inner_html() == ""
    assert calls == []
    area.fill("bad")
    expect(area).not_to_have_attribute("aria-invalid", "true")
    area.press("Control+Enter")
    expect(page.locator(".label")).to_have_text("negative80%")
    expect(page.get_by_role("alert")).to_be_empty()
