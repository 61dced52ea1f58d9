"""Files of any size through a model, a chunk at a time; a run that was stopped can go on.

A chunk's answers are appended and brought to the disk before the state file says so. What stands
behind the size that the state tells is torn, and is cut off when the run goes on. Chunks begin at
the same rows in every run, so a resumed output is the same to the byte. No TensorFlow is imported
here.
"""

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.entry_file import CSV_SUFFIX, JSON_SUFFIXES, EntryFile, Row
from zoo.files import remove_partial, write_atomically

Answers = Callable[[list[bytes]], list]


class BatchRun:
    """Answers to the rows of a file, in a file.

    Args:
        source: The rows.
        output: Where the answers go: CSV with columns added if it ends in .csv, else JSON lines.
        settings: What a run that goes on must have in common with the one that was stopped.
        resume: Go on where a run stopped; begin if there was none.

    Attributes:
        answered: Rows that were answered.
        refused: Rows that were not; `errors` is the file that tells why.

    Raises:
        ValueError: The output exists, or is not of a run like this one.
    """

    def __init__(
        self, source: EntryFile, output: Path, settings: dict[str, Any], resume: bool = False
    ) -> None:
        self.source, self.output = source, output
        self.errors = output.with_name(f"{output.name}.errors.jsonl")
        self._state_file = output.with_name(f"{output.name}.state")
        self._as_csv = output.suffix.lower() == CSV_SUFFIX
        if self._as_csv and source.path.suffix.lower() in JSON_SUFFIXES:
            raise ValueError("--output: JSON lines are answered by JSON lines, a .jsonl file")
        if not output.parent.is_dir():
            raise ValueError(f"--output must lie in an existing folder. Received: {str(output)!r}")
        settings = {"input": source.path.name, "size": source.size, **settings}
        settings = {**settings, "column": source.column, "chunk": [*source.limits]}
        self._state = {"settings": settings, "rows": 0, "answered": 0, "refused": 0}
        self._state |= {"output_bytes": 0, "errors_bytes": 0, "answer_columns": None}
        self._resumed = resume and self._state_file.exists()
        if self._resumed:
            self._state = self._former_state(settings)
        elif output.exists():
            way = (
                f"without {self._state_file.name}: it is complete, or of something else"
                if resume
                else "already: choose another, or go on with a run that was stopped by --resume"
            )
            raise ValueError(f"--output exists {way}. Received: {str(output)!r}")

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return self._state["answered"]

    @property
    def refused(self) -> int:
        """How many rows have none."""
        return self._state["refused"]

    def answer(self, answers: Answers, advance: Callable[[int], None] = lambda count: None) -> None:
        """Runs all chunks, or those that are left.

        Args:
            answers: The model: a list of texts to a list of plain rows.
            advance: Called with the bytes of the input that were done since the last call.

        Raises:
            OSError: The output cannot be written; what was whole stays, to go on with.
            ValueError: The input cannot be read on.
        """
        remove_partial(self._state_file)
        if self._resumed:
            _append(self.output, self._state["output_bytes"], b"")
            if self.errors.exists():
                _append(self.errors, self._state["errors_bytes"], b"")
        else:
            self.errors.unlink(missing_ok=True)
            self._save_state()
            _append(self.output, 0, b"")
        done = 0
        for chunk in self.source.chunks(self._state["rows"]):
            self._write(chunk, answers)
            advance(self.source.position - done)
            done = self.source.position
        self._state_file.unlink()

    def _write(self, chunk: list[Row], answers: Answers) -> None:
        good, bad = [], []
        for row, answer in answered_or_refused(answers, chunk):
            if isinstance(answer, str):
                text = row.text.decode("utf-8", "replace")
                short = {"text": text[:200]} if text else {}
                bad.append({"row": row.number, "error": answer, **short})
            else:
                good.append((row, answer))
        state = self._state
        state["output_bytes"] = _append(self.output, state["output_bytes"], self._encoded(good))
        if bad:
            data = b"".join(map(_json_line, bad))
            state["errors_bytes"] = _append(self.errors, state["errors_bytes"], data)
        state["rows"] += len(chunk)
        state["answered"] += len(good)
        state["refused"] += len(bad)
        self._save_state()

    def _encoded(self, good: list[tuple[Row, dict[str, Any]]]) -> bytes:
        if not self._as_csv:
            return b"".join(
                _json_line({**row.fields, **self._renamed(answer, row.fields)})
                for row, answer in good
            )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row, answer in good:
            cells = self._renamed(answer, row.fields)
            if self._state["answer_columns"] is None:
                self._state["answer_columns"] = list(cells)
                writer.writerow([*self.source.columns, *cells])
            added = (cells.get(name) for name in self._state["answer_columns"])
            values = (row.fields[name] for name in self.source.columns)
            writer.writerow([*values, *map(_cell, added)])
        return text.getvalue().encode("utf-8", "replace")

    def _renamed(self, answer: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
        """The answer, whose names do not hide what the input calls alike."""
        taken = {*self.source.columns, *fields}
        renamed = {}
        for name, value in answer.items():
            while name in taken:
                name = f"predicted_{name}"
            renamed[name] = value
        return renamed

    def _save_state(self) -> None:
        write_atomically(self._state_file, _json_line(self._state))

    def _former_state(self, settings: dict[str, Any]) -> dict[str, Any]:
        try:
            state = json.loads(self._state_file.read_text("utf-8"))
            former = state["settings"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"--resume: {self._state_file} is damaged: {error!r}") from error
        for name in [*former, *settings]:
            if former.get(name) != settings.get(name):
                raise ValueError(
                    f"--resume: the run that was stopped had another {name}: "
                    f"{former.get(name)!r}. Received: {settings.get(name)!r}"
                )
        for path, key in (self.output, "output_bytes"), (self.errors, "errors_bytes"):
            size = path.stat().st_size if path.exists() else 0
            if size < state[key]:
                raise ValueError(
                    f"--resume: {path} has {size} bytes, of {state[key]} that were written: "
                    f"it was changed. Remove it and {self._state_file} to begin anew"
                )
        return state


def answered_or_refused(answers: Answers, rows: list[Row]) -> list[tuple[Row, Any]]:
    """Each row with its answer, or with the message (a string) that tells why it has none."""
    given = iter(_halved(answers, [row.text for row in rows if not row.error]))
    return [(row, row.error or next(given)) for row in rows]


def _halved(answers: Answers, texts: list[bytes]) -> list:
    """The answers to all texts; where some are refused, halves of halves are asked till found."""
    if not texts:
        return []
    try:
        return answers(texts)
    except (TypeError, ValueError) as error:
        if len(texts) == 1:
            return [str(error) or repr(error)]
    middle = len(texts) // 2
    return _halved(answers, texts[:middle]) + _halved(answers, texts[middle:])


def _append(path: Path, size: int, data: bytes) -> int:
    """Writes behind the first `size` bytes of a file, and cuts off what stood there; its size."""
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
            file.truncate(size)
            file.seek(size)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.truncate(path, size)
        raise
    return size + len(data)


def _json_line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
