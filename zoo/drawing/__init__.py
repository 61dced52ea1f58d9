"""Answers for people: pages, figures, fragments and coloured text of what a model found.

`plot_attention` draws what a model looked at. Beneath it, and for other uses:

- `plotting`: the attention table as a figure, and how any figure comes into a file.
- `word_figure`: a text with painted words as a figure.
- `scores`: what a classifier confuses and how well it finds each class, as a figure.
- `painting`: a text with its words or entities painted, as a web page or in a terminal.
- `fragments`: the same, as the pieces of HTML that a notebook shows of an answer.
- `answers`: what `zoo run` shows of a model's answers, and which file it draws.
- `notebook_figure`: a figure that a notebook shows once.
- `labels`: what a word looks like in a drawing, whoever draws it.
- `fonts`: fonts that have the characters of a text, in any script.

Only `answers` runs a model, and matplotlib is imported only when a figure is drawn.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.models.classifications import Classification
    from zoo.models.translation import Translation

__all__ = ["plot_attention"]


def plot_attention(
    answer: "Translation | Classification", path: str | Path | None = None
) -> "Figure":
    """Draws what a model looked at: a translation's attention table, or a text's painted words.

    A notebook shows the figure once, as the last line of a cell. It is made without pyplot: there
    is no window, and nothing to close.

    Args:
        answer: One answer of `translate` or `classify` with `return_attention=True`.
        path: Where to write the figure too: `.png`, `.svg` or `.pdf`; `~` is your home.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        TypeError: Something else than such an answer, or a list of them.
        ValueError: An answer without attention, or to a blank text; or `path` has another suffix.
        OSError: `path` cannot be written; an existing file there is left as it was.

    Example:
        >>> model = zoo.load("nmt_attention")
        >>> answer = model.translate("A dog runs.", return_attention=True)
        >>> zoo.plot_attention(answer, "table.png")
    """
    path = None if path is None else Path(path).expanduser()
    if hasattr(answer, "source_tokens"):
        from zoo.drawing.plotting import attention_table

        if answer.attention is None:
            raise ValueError("`answer` is of a model without attention: there is nothing to draw")
        _check_tokens(answer.target_tokens)
        return attention_table(answer.source_tokens, answer.target_tokens, answer.attention, path)
    if hasattr(answer, "probabilities") and hasattr(answer, "tokens"):
        from zoo.drawing.labels import text_of
        from zoo.drawing.word_figure import attention_words

        if answer.tokens is None:
            raise ValueError(
                "`answer` has no weights of words: ask for them with "
                "`model.classify(text, return_attention=True)`"
            )
        _check_tokens(answer.tokens)
        return attention_words(text_of(answer.tokens), answer, path)
    several = isinstance(answer, list) and len(answer) > 0
    hint = "Of a list draw one, such as `answers[0]`. " if several else ""
    raise TypeError(
        "`answer` must be one answer of `translate` or `classify` with `return_attention=True`. "
        f"{hint}Received: {type(answer).__name__}"
    )


def _check_tokens(tokens: list) -> None:
    if not tokens:
        raise ValueError("`answer` is to a blank text: there is nothing to draw")
