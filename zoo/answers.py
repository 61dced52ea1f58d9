"""How ``zoo run`` asks a model and shows what it answers: one function for each task.

Each takes the model, the texts as ``bytes`` and the options that make sense for its task, draws if
it shall, and returns an :class:`Answer` for each text.
"""

from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from zoo.files import write_atomically

PAGE_SUFFIXES = (".html", ".htm")


class Answer(NamedTuple):
    """What is shown of one text.

    Attributes:
        line: for people; rich text where colours say something.
        row: plain values, for ``--json``.
    """

    line: str | Text
    row: dict


def translate(model, texts, beam_size=5, attention=None):
    """The translation of each text; ``attention``: where to draw the attention table."""
    if attention:
        _check_attention(model)
    results = model.translate(texts, beam_size=beam_size, return_attention=True)
    if attention:
        from zoo.drawing.plotting import attention_table

        (text,), (result,) = texts, results
        _check_drawable(text, result.target_tokens)
        attention_table(result.source_tokens, result.target_tokens, result.attention, attention)
        _tell("Attention table", attention)
    return [
        Answer(result.text, {"translation": result.text, "score": result.score})
        for result in results
    ]


def classify(model, texts, attention=None):
    """The label of each text; ``attention``: where to draw what each word weighed."""
    if attention:
        _check_attention(model)
    results = model.classify(texts, return_attention=attention is not None)
    if attention:
        (text,), (result,) = texts, results
        _check_drawable(text, result.tokens)
        _draw_words(printable(text), result, attention)
        _tell("Painted words", attention)
    return [
        Answer(
            f"{result.label} {result.score:.3f}",
            {
                "label": result.label,
                "score": result.score,
                "probabilities": result.probabilities,
            },
        )
        for result in results
    ]


def tag(model, texts, page=None):
    """The entities of each text; ``page``: where to write the marked texts as a web page."""
    from zoo.drawing.painting import entities_page, entities_text, type_colours

    results = model.tag(texts)
    names = [printable(text) for text in texts]
    if page:
        _write_page(entities_page(zip(names, results, strict=True)), page)
        _tell("Marked text", page)
    colours = type_colours(entity for entities in results for entity in entities)
    plain = Console().color_system is None
    return [
        Answer(
            entities_text(name, entities, colours, plain),
            {"entities": [entity._asdict() for entity in entities]},
        )
        for name, entities in zip(names, results, strict=True)
    ]


TASKS = {"translate": translate, "classify": classify, "tag": tag}


def printable(text):
    """``bytes`` of any kind as ``str``, the way the models read them."""
    return text.decode("utf-8", "replace")


def _draw_words(text, result, path):
    if path.suffix.lower() in PAGE_SUFFIXES:
        from zoo.drawing.painting import attention_page

        _write_page(attention_page(text, result), path)
    else:
        from zoo.drawing.word_figure import attention_words

        attention_words(text, result, path)


def _write_page(content, path):
    from zoo.drawing.plotting import check_target

    write_atomically(check_target(path, PAGE_SUFFIXES), content.encode())


def _check_attention(model):
    if not model.has_attention:
        raise ValueError("--attention needs a model with attention: this one has none")


def _check_drawable(text, tokens):
    if not tokens:
        raise ValueError(
            f"--attention has nothing to draw for a blank text. Received: {printable(text)!r}"
        )


def _tell(what, path):
    Console(stderr=True).print(f"{what}: {path}", markup=False, highlight=False, soft_wrap=True)
