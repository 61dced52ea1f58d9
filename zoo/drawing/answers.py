"""How `zoo run` shows what a model answers, and draws what it is asked to draw.

Models call these in `console_answers`; each takes the model, the entries (texts as `bytes`) and the
options that make sense for it, and returns an `Answer` for each entry.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.text import Text

from zoo.files import write_atomically

if TYPE_CHECKING:
    from zoo.models.audio_classifier import AudioClassifier
    from zoo.models.base import ZooModel
    from zoo.models.classifications import Classification, MultiClassification
    from zoo.models.forecaster import Forecast, Forecaster
    from zoo.models.image_captioning import ImageCaptioner
    from zoo.models.language_model import LanguageModel
    from zoo.models.ner import NER
    from zoo.models.text_classifier import TextClassifier
    from zoo.models.text_generator import TextGenerator

PAGE_SUFFIXES = (".html", ".htm")
# The verb of a model and the options that it takes, by what `config.json` calls it: for those who
# ask before TensorFlow is imported. A model that is not here is asked when it has been loaded.
OPTIONS = {
    "audio_classifier": ("classify", ("plot",)),
    "forecaster": ("forecast", ("interval", "plot", "steps")),
    "language_model": (
        "complete",
        ("beam_size", "max_tokens", "score", "seed", "temperature", "top_k", "top_p"),
    ),
    "ner": ("tag", ("page",)),
    "nmt_attention": ("translate", ("attention", "beam_size")),
    "nmt_vanilla": ("translate", ("attention", "beam_size")),
    "sentiment": ("classify", ("attention",)),
    "show_and_tell": ("caption", ("attention", "beam_size")),
    "show_attend_tell": ("caption", ("attention", "beam_size")),
    "text_classifier": ("classify", ("attention",)),
}


class Answer(NamedTuple):
    """What is shown of one entry.

    Attributes:
        line: For people; rich text where colours say something.
        row: Plain values, for `--json`.
    """

    line: str | Text
    row: dict


def plain_answers(model: "ZooModel", entries: list) -> list[Answer]:
    """The answers of any model: a string as it is, a named tuple by its fields."""
    return [_plain(model.task, answer) for answer in getattr(model, model.task)(entries)]


def _plain(verb: str, answer: object) -> Answer:
    if not hasattr(answer, "_asdict"):
        return Answer(str(answer), {verb: _json_value(answer)})
    row = {name: _json_value(value) for name, value in answer._asdict().items()}
    return Answer(f"{answer[0]}", row)


def _json_value(value: object) -> object:
    """Arrays as lists, named tuples as dicts, whatever they are in."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(name): _json_value(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(inside) for inside in value]
    return value


def written_answers(
    model: "TextGenerator", entries: list, beam_size: int, attention: Path | None
) -> list[Answer]:
    """The text that a generator writes for each entry; `attention`: where to draw its table."""
    if attention:
        _check_attention(model)
    verb = getattr(model, model.task)
    results = verb(entries, beam_size=beam_size, return_attention=True)
    if attention:
        (entry,), (result,) = entries, results
        _check_drawable(entry, result.target_tokens)
        model.draw_attention(result, attention)
        _tell("Attention table", attention)
    plain = Console().color_system is None
    return [_written(model.output, result, plain) for result in results]


def _written(output: str, result: tuple, plain: bool) -> Answer:
    row = {output: result.text, "score": result.score}
    doubtful = getattr(result, "low_confidence", None)  # not every generator tells
    if doubtful is not None:
        row["low_confidence"] = doubtful
    # What goes into a file or a pipe is the text and nothing else.
    told = doubtful and not plain
    line = Text(result.text).append("  (low confidence)", style="dim") if told else result.text
    return Answer(line, row)


def captioned_answers(
    model: "ImageCaptioner", paths: list[str], beam_size: int, attention: Path | None
) -> list[Answer]:
    """What is in each picture; `attention`: where to draw what the model looked at."""
    if attention:
        _check_attention(model)
    results = model.caption(paths, beam_size=beam_size, return_attention=True)
    if attention:
        (path,), (result,) = paths, results
        if not result.words:
            raise ValueError(f"--attention has nothing to draw: no word was written of {path}")
        model.draw_attention(result, attention, path)
        _tell("Attention maps", attention)
    # Which is which would be hard to tell of many.
    names = [f"{path}: " if len(paths) > 1 else "" for path in paths]
    return [
        Answer(
            f"{name}{result.text}",
            {"image": printable(path), model.output: result.text, "score": result.score},
        )
        for name, path, result in zip(names, paths, results, strict=True)
    ]


def classified_answers(
    model: "TextClassifier", texts: list[bytes], attention: Path | None
) -> list[Answer]:
    """The label of each text, or its labels; `attention`: where to draw what each word weighed."""
    if attention:
        _check_attention(model)
    results = model.classify(texts, return_attention=attention is not None)
    if attention:
        (text,), (result,) = texts, results
        _check_drawable(text, result.tokens)
        _draw_words(printable(text), result, attention)
        _tell("Painted words", attention)
    return [Answer(_decision(result), _without_tokens(result)) for result in results]


def heard_answers(model: "AudioClassifier", entries: list, plot: Path | None) -> list[Answer]:
    """The label of each recording, or its labels; `plot`: where to draw what the model heard."""
    paths = [os.fsdecode(entry) for entry in entries]
    if plot:
        from zoo.drawing.spectrogram_figure import spectrogram_figure

        (heard,) = found = model.listen(paths)
        title = f"{Path(paths[0]).name}: {_decision(heard.answer)}"
        spectrogram_figure(heard.frames, heard.weights, model.sample_rate, plot, title)
        _tell("Spectrogram", plot)
        results = [of.answer for of in found]
    else:
        results = model.classify(paths)
    # Which is which would be hard to tell of many.
    names = [f"{printable(path)}: " if len(paths) > 1 else "" for path in paths]
    return [
        Answer(f"{name}{_decision(result)}", {"audio": printable(path), **_without_tokens(result)})
        for name, path, result in zip(names, paths, results, strict=True)
    ]


def _decision(result: "Classification | MultiClassification") -> str:
    from zoo.drawing.painting import NONE_CHOSEN

    chosen = result.chosen if hasattr(result, "chosen") else {result.label: result.score}
    return ", ".join(f"{label} {score:.3f}" for label, score in chosen.items()) or NONE_CHOSEN


def _without_tokens(result: "Classification | MultiClassification") -> dict:
    return {name: value for name, value in result._asdict().items() if name != "tokens"}


def tagged_answers(model: "NER", texts: list[bytes], page: Path | None) -> list[Answer]:
    """The entities of each text; `page`: where to write the marked texts as a web page."""
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


def completed_answers(model: "LanguageModel", texts: list[bytes], **options: Any) -> list[Answer]:
    """What may follow each text; options of `complete`."""
    return [
        Answer(completion, {"completion": completion})
        for completion in model.complete(texts, **options)
    ]


def scored_answers(model: "LanguageModel", texts: list[bytes]) -> list[Answer]:
    """Each text, its words painted by how little they were foreseen."""
    from zoo.drawing.surprise import surprise_text

    plain = Console().color_system is None
    return [
        Answer(
            surprise_text(scored, plain),
            {name: value for name, value in scored._asdict().items() if name != "text"},
        )
        for scored in model.score(texts)
    ]


def forecast_answers(
    model: "Forecaster",
    entries: list[bytes],
    series: list[list[float]],
    steps: int | None,
    interval: float,
    plot: Path | None,
) -> list[Answer]:
    """How each series goes on; `plot`: where to draw it.

    Args:
        model: The model.
        entries: What the user gave for each of `series`: the names of files, or numbers.
        series: The numbers.
        steps: As of `Forecaster.forecast`.
        interval: Likewise.
        plot: The file to draw the only series into; None: nothing is drawn.
    """
    from zoo.models.series_column import LONGEST_NAME, names_a_file

    names = [printable(entry) for entry in entries]
    answers = model.forecast(series, steps=steps, interval=interval)
    if plot:
        from zoo.drawing.forecast_figure import forecast_figure

        (name,), (values,), (answer,) = names, series, answers
        title = Path(name).stem if names_a_file(name) else None
        forecast_figure(values, answer, plot, model.period, title)
        _tell("Forecast", plot)
    lines = [_steps(of) if len(answers) == 1 else _numbers(of.mean) for of in answers]
    shown = (name[:LONGEST_NAME] for name in names)
    rows = [_forecast_row(*pair) for pair in zip(shown, answers, strict=True)]
    return list(map(Answer, lines, rows))


def _steps(answer: "Forecast") -> str:
    """A step a line, with its interval where there is one."""
    bounds = [] if answer.lower is None else [answer.lower, answer.upper]
    return "\n".join(_numbers(row) for row in zip(answer.mean, *bounds, strict=True))


def _numbers(values: Iterable[float]) -> str:
    return "\t".join(f"{value:.6g}" for value in values)


def _forecast_row(name: str, answer: "Forecast") -> dict:
    row = {"series": name, "forecast": answer.mean.tolist()}
    if answer.lower is not None:
        row |= {"lower": answer.lower.tolist(), "upper": answer.upper.tolist()}
        row["interval"] = answer.interval
    return row


def printable(entry: object) -> str:
    """`bytes` of any kind as `str`, the way the models read them; else as Python shows it."""
    return entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry)


def _draw_words(text: str, result: "Classification | MultiClassification", path: Path) -> None:
    if path.suffix.lower() in PAGE_SUFFIXES:
        from zoo.drawing.painting import attention_page

        _write_page(attention_page(text, result), path)
    else:
        from zoo.drawing.word_figure import attention_words

        attention_words(text, result, path)


def _write_page(content: str, path: Path) -> None:
    from zoo.drawing.plotting import check_target

    write_atomically(check_target(path, PAGE_SUFFIXES), content.encode())


def _check_attention(model: "ZooModel") -> None:
    if not model.has_attention:
        raise ValueError("--attention needs a model with attention: this one has none")


def _check_drawable(text: object, tokens: list) -> None:
    if not tokens:
        raise ValueError(
            f"--attention has nothing to draw for a blank text. Received: {printable(text)!r}"
        )


def _tell(what: str, path: Path) -> None:
    Console(stderr=True).print(f"{what}: {path}", markup=False, highlight=False, soft_wrap=True)
