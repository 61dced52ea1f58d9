"""What the page says of a model that has a card, and of one that has none."""

import pytest

from tests.browser.edge_models import save_edges
from tests.browser.running import playground

expect = pytest.importorskip("playwright.sync_api").expect
Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

CARD = """# literal

English to English: every word stays as it is, `a` too. See *Nobody* (2017).

```python
model.translate(["<b>a</b>"])
```

## Data

None, as https://example.org/data says, and [this](https://example.org/more); not
[that](javascript:alert(1)) <img src=x onerror=alert(1)>.

| split | BLEU |
| --- | ---: |
| test | **100.0** |

## Limits

- It has **never** seen
  a text.
- Not for use.
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folders = save_edges(tmp_path_factory.mktemp("cards"))
    for name in ("literal", "certain"):
        card = folders[name] / "1" / "assets.extra" / "card.md"
        card.parent.mkdir()
        card.write_text(CARD if name == "literal" else "# Is it good?\n\nA test.\n")
    with playground(folders) as address:
        yield address


def test_models_have_plain_titles(open_page):
    page = open_page("#model=literal")
    links = page.get_by_role("navigation", name="Models").get_by_role("link")
    assert links.all_inner_texts() == ["Is it good?", "English to English", "picture"]
    expect(page.get_by_role("heading", name="English to English")).to_be_visible()
    expect(page.locator("main > div > .note")).to_have_text(
        "literal · Translation · version 1 · signatures serving_default, attention"
    )
    assert page.title() == "English to English · RNN Playground"


def test_purpose_and_limits_are_said_in_a_line_each(open_page):
    page = open_page("#model=literal")
    lines = page.locator(".card > p")
    expect(lines).to_have_text(
        [
            "Every word stays as it is, a too. See Nobody (2017).",
            "Limits: It has never seen a text.",
        ]
    )
    page.goto(f"{page.url.partition('#')[0]}#model=certain")
    expect(page.locator(".card > p")).to_have_text(["A test."])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_card_can_be_read(open_page, theme):
    page = open_page("#model=literal", width=390, color_scheme=theme)
    card = page.locator(".card details")
    expect(card.get_by_role("heading", name="Limits")).not_to_be_visible()
    page.get_by_text("Model card").click()
    assert card.get_by_role("heading").all_inner_texts() == ["literal", "Data", "Limits"]
    assert card.locator("pre").inner_text() == 'model.translate(["<b>a</b>"])'
    assert card.get_by_role("cell").all_inner_texts() == ["test", "100.0"]
    items = card.get_by_role("listitem").all_inner_texts()
    assert items == ["It has never seen a text.", "Not for use."]
    targets = "(links) => links.map((link) => [link.textContent, link.href, link.rel])"
    assert card.locator("a").evaluate_all(targets) == [
        ["https://example.org/data", "https://example.org/data", "noreferrer"],
        ["this", "https://example.org/more", "noreferrer"],
    ]
    assert card.locator("img, b").count() == 0
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_model_without_a_card_has_its_name(open_page):
    page = open_page("#model=picture")
    expect(page.get_by_role("heading", name="picture")).to_be_visible()
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    assert page.locator(".card").inner_html() == ""
    expect(page.locator("main > div > .note")).to_contain_text("Plain form · version 1")


def test_a_model_that_is_loaded_later_gets_its_title(open_page):
    page = open_page("#model=literal")
    page.route("**/", lambda route: _without_titles(route))
    page.reload()
    expect(page.get_by_role("link", name="English to English")).to_be_visible()
    expect(page.get_by_role("link", name="certain")).to_be_visible()
    expect(page.get_by_role("heading", name="English to English")).to_be_visible()
    assert page.title() == "English to English · RNN Playground"


def _without_titles(route):
    """As the page is while no model is loaded yet."""
    answer = route.fetch()
    before, start, rest = answer.text().partition('id="model-titles">')
    route.fulfill(
        response=answer, body=f"{before}{start}{{}}</script>{rest.split('</script>', 1)[1]}"
    )
