"""Rows of one's own to measure a model on: tables, and files of tagged tokens."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import zoo
from zoo.close_names import did_you_mean
from zoo.data import read_conll, read_series, read_spans
from zoo.entry_file import JSON_SUFFIXES, TableFile
from zoo.files import write_atomically
from zoo.presets import WEIGHTS, read_config

if TYPE_CHECKING:
    from zoo.models.base import ZooModel
    from zoo.reports.base import Report

# What people call the columns that the models read, beside the columns' own names.
ALIASES = {
    "texts": ("sentence", "sentences", "content", "body", "review", "comment", "document"),
    "labels": ("class", "classes", "category", "categories", "target", "y"),
    "sources": ("src", "input"),
    "targets": ("translation", "reference", "tgt", "output"),
    "tags": ("ner_tags", "spans", "entities", "labels", "label"),
    "tokens": ("words", "texts", "text"),
}
MOST_UNKNOWN = 10  # labels that a message lists


class OwnRows(NamedTuple):
    """Rows of a file.

    Attributes:
        x: The first column, as `evaluate_report` takes it.
        y: The second column; None of a model that reads one.
        told: Which columns were read, for people; empty where there is no choice.
    """

    x: list[Any]
    y: list[Any] | None
    told: str


def measure_file(
    name_or_folder: str,
    path: Path,
    x: str | None = None,
    y: str | None = None,
    label_separator: str | None = None,
    **options: Any,
) -> tuple["Report", str]:
    """Measures a model on a file; nothing is written.

    Args:
        name_or_folder: A preset, as `zoo.load` takes it.
        path: As of `read_own_rows`.
        x: As of `read_own_rows`.
        y: As of `read_own_rows`.
        label_separator: As `separator` of `read_own_rows`.
        **options: As of `ZooModel.evaluate_report`.

    Returns:
        The report, and which columns were read.

    Raises:
        ValueError: As `read_own_rows` and `ZooModel.evaluate_report` do.
    """
    TableFile(path.expanduser())  # what is wrong with it is told before a model is loaded
    model = zoo.load(name_or_folder)
    rows = read_own_rows(model, path, x, y, label_separator)
    return model.evaluate_report(rows.x, rows.y, **options), rows.told


def write_json(
    report: "Report", name_or_folder: str, source: Path, command: str, path: Path
) -> None:
    """Writes a report with what it is of, whole or not at all.

    Args:
        report: The report.
        name_or_folder: The model that was measured.
        source: The file that it was measured on.
        command: The command line that did it.
        path: The file.
    """
    about = {
        "model": name_or_folder,
        # Ties the figures to these very weights.
        "weights_sha256": read_config(name_or_folder)["files"][WEIGHTS],
        "input": source.name,
        "command": command,
        "zoo_version": zoo.__version__,
    }
    text = json.dumps({**about, **report.to_dict()}, indent=2, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())


def read_own_rows(
    model: "ZooModel",
    path: Path,
    x: str | None = None,
    y: str | None = None,
    separator: str | None = None,
) -> OwnRows:
    """Reads what a model is measured on.

    Args:
        model: A model of the zoo, one that reads one or two columns.
        path: `.csv` or `.tsv` with a header, or JSON lines (`.jsonl`). Of a tagger JSON without
            `tokens` holds texts with spans, see `zoo.data.read_spans`, and anything that is no
            table is a file in columns, see `zoo.data.read_conll`; of a model that reads texts
            alone, lines of text; of a forecaster, what is no JSON is a single series, see
            `zoo.data.read_series`.
        x: The column of the first; by default one that is called as the model calls it, or alike.
        y: The column of the second, likewise.
        separator: What stands between the labels of one text, of a model that gives it several. A
            list in JSON lines needs none.

    Raises:
        ValueError: No rows, no such column (with close names), a row that cannot be read, or labels
            that the model lacks, which are listed.
        OSError: The file cannot be read.
    """
    table = TableFile(path.expanduser())
    names = [column.name for column in model.columns]
    if len(names) > 2:
        raise ValueError(
            f"--input is for models that read one or two columns. Received: {', '.join(names)}"
        )
    if names == ["tokens", "tags"] and _has_spans(table):
        data = read_spans(table.path, *([x] if x else []), **({"span_key": y} if y else {}))
        return OwnRows(data.texts, data.spans, "")
    if names == ["series"] and table.path.suffix.lower() not in JSON_SUFFIXES:
        return _one_series(table, x, y)
    if not table.is_table:
        return _lines_or_tokens(table, names, x, y)
    chosen = _chosen_columns(table, names, {"--x": x, "--y": y})
    columns = _columns(table, chosen)
    values = [
        [_parsed(column, value) for value in entries]
        for column, entries in zip(model.columns, columns, strict=True)
    ]
    if len(values) == 1:
        return OwnRows(values[0], None, _told(names, chosen))
    labels = getattr(model, "labels", None)
    if labels:
        values[1] = _labels(model, values[1], separator, f"--y: {path}")
    return OwnRows(*values, _told(names, chosen))


def _one_series(table: TableFile, x: str | None, y: str | None) -> OwnRows:
    """A file of numbers is a single series; JSON lines have one in each."""
    if y:
        raise ValueError("--y must be left out: the model reads series alone")
    told = f"series from column {x!r}" if x else "series from the last column"
    return OwnRows([read_series(table.path, x)], None, told)


def _lines_or_tokens(table: TableFile, names: list[str], x: str | None, y: str | None) -> OwnRows:
    if x or y:
        raise ValueError(
            f"--x and --y are for .csv, .tsv and .jsonl files. Received: {str(table.path)!r}"
        )
    if names == ["tokens", "tags"]:
        rows = OwnRows(*read_conll(table.path), "")
    elif len(names) == 1:
        rows = OwnRows([row.fields["text"] for row in table.records()], None, "")
    else:
        raise ValueError(
            f"--input must be a .csv, .tsv or .jsonl file with the columns {' and '.join(names)}. "
            f"Received: {str(table.path)!r}"
        )
    if not rows.x:
        raise ValueError(f"--input has no rows. Received: {str(table.path)!r}")
    return rows


def _has_spans(table: TableFile) -> bool:
    """Whether this is a file of an annotation tool rather than one of tokens."""
    suffix = table.path.name.lower().removesuffix(".gz").rpartition(".")[-1]
    return suffix == "json" or (suffix == "jsonl" and "tokens" not in table.columns)


def _chosen_columns(table: TableFile, names: list[str], wanted: dict[str, str | None]) -> list[str]:
    """The table's column for each of the model's."""
    known = table.columns
    if not known:
        raise ValueError(f"--input has no rows. Received: {str(table.path)!r}")
    listed = f"Columns of {table.path}: {', '.join(map(repr, known))}"
    chosen = []
    for name, (option, column) in zip(names, wanted.items(), strict=False):
        if column is None:
            column = _alike(name, [column for column in known if column not in chosen])
            if column is None and len(known) == len(names):
                column = known[len(chosen)]  # in the model's order
            if column is None:
                raise ValueError(f"{option}: say which column has the {name}. {listed}")
        elif column not in known:
            hint = did_you_mean(column, known, 2, cutoff=0.5)
            hint = f" {hint}" if hint else ""
            raise ValueError(f"{option}: there is no column {column!r}.{hint} {listed}")
        chosen.append(column)
    if wanted["--y"] and len(names) == 1:
        raise ValueError(f"--y must be left out: the model reads {names[0]} alone")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"--x and --y must be two columns. Received: {chosen[0]!r} twice")
    return chosen


def _alike(name: str, known: list[str]) -> str | None:
    """The column that is called as the model calls it, or as people do."""
    by_lower_case = {column.strip().lower(): column for column in known}
    for candidate in (name, name.removesuffix("s"), *ALIASES.get(name, ())):
        if candidate in by_lower_case:
            return by_lower_case[candidate]
    return None


def _columns(table: TableFile, chosen: list[str]) -> list[list[Any]]:
    columns = [[] for _ in chosen]
    for row in table.records():
        missing = next((name for name in chosen if row.fields.get(name) is None), None)
        if row.error or missing:
            error = row.error or f"it has no {missing!r}"
            raise ValueError(f"{table.path}, row {row.number}: {error}")
        for column, name in zip(columns, chosen, strict=True):
            column.append(row.fields[name])
    if not columns[0]:
        raise ValueError(f"--input has no rows. Received: {str(table.path)!r}")
    return columns


def _parsed(column: Any, value: Any) -> Any:
    """A cell as an entry of the column: lists of tokens are words in CSV."""
    words = isinstance(value, str) and column.rank == 1 and column.name in ("tokens", "tags")
    return value.split() if words else value


def _labels(model: "ZooModel", given: list[Any], separator: str | None, where: str) -> list[Any]:
    """Labels by name; numbers, which a CSV file has as strings, as numbers."""
    labels = list(model.labels)
    if getattr(model, "multi_label", False):
        given = [_split(value, separator) for value in given]
        unknown = Counter(name for row in given for name in row if name not in labels)
    else:
        if all(isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value) for value in given):
            numbers = [int(value) for value in given]
            given = given if set(given) <= set(labels) else numbers
        names = (value for value in given if isinstance(value, str))
        unknown = Counter(name for name in names if name not in labels)
    if unknown:
        several = getattr(model, "multi_label", False) and not separator
        hint = ". Several labels in one cell: --label-separator" if several else ""
        worst = [f"{name!r} ({count:,} rows)" for name, count in unknown.most_common(MOST_UNKNOWN)]
        more = f" and {len(unknown) - MOST_UNKNOWN} more" if len(unknown) > MOST_UNKNOWN else ""
        raise ValueError(
            f"{where} has labels that the model lacks: {', '.join(worst)}{more}. "
            f"It knows {', '.join(map(repr, labels))}{hint}"
        )
    return given


def _split(value: Any, separator: str | None) -> list[Any]:
    """The labels of a row: a list, as JSON has it, or names in one string."""
    if not isinstance(value, str):
        return list(value)
    names = value.split(separator) if separator else [value]
    return [name.strip() for name in names if name.strip()]


def _told(names: list[str], chosen: list[str]) -> str:
    pairs = zip(names, chosen, strict=True)
    return ", ".join(f"{name} from column {column!r}" for name, column in pairs)
