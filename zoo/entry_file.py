"""Files of rows, read as they go: lines of text, CSV, values between tabs, JSON lines."""

import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

CHUNK_ROWS = 1024
CHUNK_BYTES = 4_000_000
LONGEST_LINE = 64_000_000  # bytes; what is longer has other line ends, or is not of text
CSV_SUFFIX, TAB_SUFFIX = ".csv", ".tsv"
JSON_SUFFIXES = (".jsonl", ".ndjson")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One row of an input.

    Attributes:
        number: From 1; a line of a text or of JSON lines, a record of CSV.
        fields: What stands in it, by column.
        text: The model's entry.
        error: What keeps it from being read; there is no `text` then.
    """

    number: int
    fields: dict[str, Any]
    text: bytes = b""
    error: str = ""


class TableFile:
    """A file of rows with columns: .csv or .tsv with a header, JSON lines; else lines of text.

    Args:
        path: The file.

    Attributes:
        columns: Names of the columns; of JSON lines those of the first rows.
        is_table: Whether it has columns of its own, rather than lines of text.
        size: Bytes.
        position: Bytes that were read.

    Raises:
        ValueError: No file, or none of this kind.
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ValueError(f"--input must be an existing file. Received: {str(path)!r}")
        self.path, self.size, self.position = path, path.stat().st_size, 0
        with open(path, "rb") as file:
            if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
                raise ValueError(
                    f"{path} is in UTF-16: make it UTF-8, "
                    f"`iconv -f UTF-16 -t UTF-8 {path} > utf8{path.suffix}`"
                )
        suffix = path.suffix.lower()
        self.is_table = True
        self._delimiter = "\t" if suffix == TAB_SUFFIX else ","
        if suffix in (CSV_SUFFIX, TAB_SUFFIX):
            self._read, self.columns = self._csv, self._header()
        elif suffix in JSON_SUFFIXES:
            self._read = self._json
            first = itertools.islice(self.records(), 100)
            self.columns = list(dict.fromkeys(name for row in first for name in row.fields))
        else:
            self.is_table = False
            self._read, self.columns = self._lines, ["text"]

    def records(self) -> Iterator[Row]:
        """All rows by their columns, in order; blank ones of CSV and JSON are passed over."""
        self.position = 0
        with open(self.path, "rb") as file:
            yield from self._read(self._physical_lines(file))

    def _physical_lines(self, file: BinaryIO) -> Iterator[bytes]:
        for number in itertools.count(1):
            line = file.readline(LONGEST_LINE)
            if not line:
                return
            if len(line) == LONGEST_LINE:
                raise ValueError(f"{self.path}, line {number}: longer than {LONGEST_LINE:,} bytes")
            self.position += len(line)
            yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line

    def _lines(self, lines: Iterator[bytes]) -> Iterator[Row]:
        for number, line in enumerate(lines, 1):
            # As bytes: what is not UTF-8 is the tokenizer's to mend.
            text = line.rstrip(b"\r\n")
            yield Row(number, {"text": text.decode("utf-8", "replace")}, text)

    def _header(self) -> list[str]:
        with open(self.path, "rb") as file:
            header = next(self._records(self._physical_lines(file)), [])
        if len(set(header)) < len(header):
            raise ValueError(f"{self.path} has two columns of one name. Columns: {header}")
        return header

    def _records(self, lines: Iterator[bytes]) -> Iterator[list[str]]:
        csv.field_size_limit(LONGEST_LINE)
        decoded = (line.decode("utf-8", "replace") for line in lines)
        reader = csv.reader(decoded, delimiter=self._delimiter)
        try:
            yield from filter(None, reader)
        except csv.Error as error:
            raise ValueError(f"{self.path}, line {reader.line_num}: {error}") from error

    def _csv(self, lines: Iterator[bytes]) -> Iterator[Row]:
        records = self._records(lines)
        next(records, None)
        for number, values in enumerate(records, 1):
            fields = dict(zip(self.columns, values, strict=False))
            if len(values) == len(self.columns):
                yield Row(number, fields)
            else:
                count = f"{len(values)} values for {len(self.columns)} columns"
                yield Row(number, fields, error=f"{count}: {values!r:.200}")

    def _json(self, lines: Iterator[bytes]) -> Iterator[Row]:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line.decode("utf-8", "replace"))
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, error=f"not JSON: {error}")
                continue
            if isinstance(fields, dict):
                yield Row(number, fields)
            else:
                yield Row(number, {}, error=f"not an object: {fields!r:.200}")


class EntryFile(TableFile):
    """A file of entries: a column of a table, or lines.

    Args:
        path: The file.
        column: Where the entries are in a table. By default `text`, or the only column.

    Attributes:
        limits: Rows, and bytes of text, after which a chunk ends.

    Raises:
        ValueError: No such column, or no file of this kind.
        OSError: The file cannot be read.
    """

    def __init__(self, path: Path, column: str | None = None) -> None:
        super().__init__(path)
        self.limits = CHUNK_ROWS, CHUNK_BYTES
        if column is not None and not self.is_table:
            raise ValueError(
                "--column is for .csv, .tsv and .jsonl files; of others each line is a text. "
                f"Received: {str(path)!r}"
            )
        self.column = self._chosen(column)

    def rows(self) -> Iterator[Row]:
        """All rows with their entries, in order."""
        for row in self.records():
            yield self._entry(row) if self.is_table and not row.error else row

    def chunks(self, skip: int = 0) -> Iterator[list[Row]]:
        """The rows after the first `skip`, as many at a time as a model is given at once."""
        chunk, size = [], 0
        for row in itertools.islice(self.rows(), skip, None):
            chunk.append(row)
            size += len(row.text)
            if len(chunk) == self.limits[0] or size >= self.limits[1]:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _entry(self, row: Row) -> Row:
        text = row.fields.get(self.column)
        if isinstance(text, str):
            # A lone surrogate, which JSON can spell, is no UTF-8.
            return row._replace(text=text.encode("utf-8", "surrogatepass"))
        has = f"{self.column!r} is {text!r:.200}" if self.column in row.fields else "missing"
        names = ", ".join(map(repr, row.fields))
        return row._replace(error=f"column {self.column!r} must be a text: {has}. Columns: {names}")

    def _chosen(self, column: str | None) -> str:
        known = self.columns
        if column is None:
            column = known[0] if len(known) == 1 else "text"
            what = "say with --column which column to read"
        else:
            what = f"--column: there is no column {column!r}"
        if known and column not in known:
            raise ValueError(f"{what}. Columns of {self.path}: {', '.join(map(repr, known))}")
        return column
