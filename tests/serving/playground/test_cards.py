"""Cards of models: what is taken out of them, and where they are delivered."""

import json
from pathlib import Path

import pytest

from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.versions import State
from zoo.serving.playground.cards import Card, parse_card, read_card
from zoo.serving.playground.pages import playground_response

PARAGRAPH = "Dates to ISO: a GRU reads them. After *Nobody*."


def _save(directory, text):
    (directory / "assets.extra").mkdir(parents=True)
    (directory / "assets.extra" / "card.md").write_bytes(text)


@pytest.mark.parametrize(
    ("text", "title", "purpose"),
    [
        (f"# dates\n\n{PARAGRAPH}\n", "Dates to ISO", "A GRU reads them. After *Nobody*."),
        (f"# dates\r\n\r\n{PARAGRAPH}\r\n", "Dates to ISO", "A GRU reads them. After *Nobody*."),
        (f"# My dates\n\n{PARAGRAPH}", "My dates", PARAGRAPH),
        (PARAGRAPH, "Dates to ISO", "A GRU reads them. After *Nobody*."),
        ("# x\n\nIs it\ngood? An LSTM\nreads.", "Is it good?", "An LSTM reads."),
        ("# x\n\nWhat `a` does.", "What a does", ""),
        ("# x\n\n" + "much " * 30 + "text.", "x", "Much " + "much " * 29 + "text."),
        ("# x\n\nVersion 1.5 of it: better.", "Version 1.5 of it", "Better."),
        ("# x\n\n- only\n- a list", "x", ""),
        ("# x", "x", ""),
    ],
)
def test_title_and_purpose(text, title, purpose):
    card = parse_card(text)
    assert (card.title, card.purpose, card.text) == (title, purpose, text)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("## Limits\n\n- One, and\n  more.\n- Two.\n", "One, and more."),
        ("## Limits\nA sentence.\n\nAnother.", "A sentence."),
        ("### Limit\n\n* One.\n\n## Next\n\n- Two.", "One."),
        ("## Limits\n\n## Next\n\n- Two.", ""),
        ("No limits.", ""),
    ],
)
def test_the_first_limit(text, limit):
    assert parse_card(text).limit == limit


def test_a_version_without_a_card(tmp_path):
    assert read_card(tmp_path) is None
    _save(tmp_path / "blank", b" \n")
    assert read_card(tmp_path / "blank") is None
    _save(tmp_path / "broken", b"# It \xff is\n\nWhat.")
    assert read_card(tmp_path / "broken").title == "It � is"


def test_titles_and_cards_are_delivered(tmp_path):
    _save(tmp_path, f"# {{{{view_files}}}} <!-- \n\n{PARAGRAPH}".encode())
    directories = {"a b/ü": tmp_path, "bare": tmp_path / "no", "coming": None}
    page = playground_response("/", directories, directories.get).body.decode()
    titles = page.partition('id="model-titles">')[2].partition("</script>")[0]
    assert json.loads(titles) == {"a b/ü": "{{view_files}} <!--"}
    response = playground_response("/playground/cards/a%20b%2F%C3%BC", directories, directories.get)
    assert response.content_type == "application/json"
    assert Card(**json.loads(response.text)) == read_card(tmp_path)
    for name in ("bare", "coming"):
        response = playground_response(f"/playground/cards/{name}", directories, directories.get)
        assert response.status == 204
    assert playground_response("/playground/cards/else", directories, directories.get) is None


def test_the_card_is_that_of_the_version_that_answers():
    registry, config = Registry(), ModelConfig("dates", Path("/m"))
    assert registry.directory("dates") is None
    registry.configure({"dates": config})
    [(_, model)] = registry.models()
    registry.aspire(model, config, {1: Path("/m/1"), 2: Path("/m/2")})
    assert registry.directory("dates") is None
    for number in (1, 2):
        version = registry.begin_loading(model, number)
        registry.move(version, State.AVAILABLE)
        assert registry.directory("dates") == Path(f"/m/{number}")
    registry.move(version, State.END)
    assert registry.directory("dates") == Path("/m/1")
