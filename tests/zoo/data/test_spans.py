"""Texts with spans as annotation tools export them, and every way in which such a file is wrong."""

import gzip
import json

import numpy as np
import pytest

from zoo.data import Spans, read_spans
from zoo.data.spans import as_span
from zoo.models.entities import Entity

TEXT = "😀 Ann Lee lives in Ulm."
WANTED = Spans([TEXT, "No one."], [[(2, 9, "PER"), (19, 22, "LOC")], []])
MARKED = [
    {"start": 2, "end": 9, "text": "Ann Lee", "labels": ["PER"]},
    {"start": 19, "end": 22, "text": "Ulm", "labels": ["LOC"]},
]
# As JavaScript counts: the emoji is two.
IN_UTF16 = [{**of, "start": of["start"] + 1, "end": of["end"] + 1} for of in MARKED]


def of_label_studio(text, values, **more):
    results = [{"type": "labels", "from_name": "ner", "value": value} for value in values]
    return {"data": {"text": text}, "annotations": [{"result": results, **more}]}


FORMS = {
    "spacy": [
        {"text": TEXT, "entities": [[2, 9, "PER"], [19, 22, "LOC"]]},
        {"text": "No one.", "entities": []},
    ],
    "spacy pairs": [
        [TEXT, {"entities": [[2, 9, "PER"], [19, 22, "LOC"]]}],
        ["No one.", {"entities": []}],
    ],
    "prodigy": [
        {
            "text": TEXT,
            "spans": [
                {"start": 2, "end": 9, "label": "PER", "token_start": 1},
                {"start": 19, "end": 22, "label": "LOC"},
            ],
            "answer": "accept",
        },
        {"text": "No one.", "spans": [], "tokens": []},
    ],
    "doccano": [
        {"id": 1, "text": TEXT, "label": [[2, 9, "PER"], [19, 22, "LOC"]]},
        {"id": 2, "text": "No one.", "label": []},
    ],
    "doccano with relations": [
        {
            "text": TEXT,
            "entities": [
                {"id": 7, "label": "PER", "start_offset": 2, "end_offset": 9},
                {"id": 8, "label": "LOC", "start_offset": 19, "end_offset": 22},
            ],
            "relations": [],
        },
        {"text": "No one.", "entities": []},
    ],
    "label studio, json-min": [
        {"text": TEXT, "label": MARKED, "annotator": 1},
        {"text": "No one.", "annotator": 1},
    ],
    "label studio, json": [of_label_studio(TEXT, MARKED), of_label_studio("No one.", [])],
    "label studio, utf-16": [of_label_studio(TEXT, IN_UTF16), of_label_studio("No one.", [])],
}


def read(tmp_path, content, **keys):
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_spans(path, **keys)


@pytest.mark.parametrize("form", FORMS)
def test_every_tools_form_reads_alike(tmp_path, form):
    entries = FORMS[form]
    lines = "\n".join(json.dumps(entry) for entry in entries)
    for content in (
        lines,
        lines + "\n\n",
        "\ufeff" + lines.replace("\n", "\r\n"),
        lines.replace("\n", "\r"),
        gzip.compress(lines.encode()),
        json.dumps(entries),
        json.dumps(entries, indent=2, ensure_ascii=False),
    ):
        assert read(tmp_path, content) == WANTED
    assert read(tmp_path, json.dumps(entries[0])) == Spans(*(column[:1] for column in WANTED))


def test_the_types_are_told():
    assert WANTED.types == ["LOC", "PER"]


def test_other_keys_may_be_named(tmp_path):
    entry = {"message": TEXT, "marks": [[2, 9, "PER"]], "label": "greeting"}
    found = read(tmp_path, json.dumps(entry), text_key="message", span_key="marks")
    assert found == Spans([TEXT], [[(2, 9, "PER")]])
    two = of_label_studio(TEXT, MARKED)
    two["annotations"][0]["result"][1]["from_name"] = "other"
    two["annotations"][0]["result"].append({"type": "choices", "value": {"choices": ["news"]}})
    assert read(tmp_path, json.dumps(two), span_key="ner").spans == [[(2, 9, "PER")]]
    assert read(tmp_path, json.dumps(two)).types == ["LOC", "PER"]


def test_what_nobody_accepted_is_left_out_and_counted(tmp_path):
    lines = [
        {"text": "a", "spans": [], "answer": "reject"},
        {"text": "b", "spans": [], "answer": "accept"},
        {"data": {"text": "c"}, "annotations": []},
        of_label_studio("d", [], was_cancelled=True),
    ]
    lines[3]["annotations"].append({"result": [{"type": "labels", "value": [0, 1, "X"]}]})
    with pytest.warns(UserWarning, match=r"2 of 4 texts are left out.*: line 1, line 3$"):
        found = read(tmp_path, "\n".join(map(json.dumps, lines)))
    assert found == Spans(["b", "d"], [[], [(0, 1, "X")]])
    with pytest.raises(
        ValueError, match=r"must have texts with spans\. Received: none, and 1 that"
    ):
        read(tmp_path, json.dumps(lines[0]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must have texts with spans. Received: none"),
        ("[]", "must have texts with spans. Received: none"),
        (
            '{"text": "a", "spans": []}\n{"text"',
            "file, line 2 must be JSON.*Received: '{",
        ),
        ("text,spans\n", "file must be JSON.*Received: 'text,spans'"),
        ('{"text": "a", "spans": []}\n{"txt": "b"}', "file, line 2: .*`text_key`.*'txt'"),
        ('{"text": 3, "spans": []}', "must have a string 'text'"),
        ('{"text": "a"}', "line 1: An entry must have one list of spans.*`span_key`.*'text'"),
        ('{"text": "a", "spans": [], "label": "x"}', "one list of spans.*'spans', 'label'"),
        ('[{"text": "a", "spans": [[0, 1]]}]', r"entry 1: A span must be .*Received: \[0, 1\]"),
        ('{"text": "a", "spans": [[0, 1, ""]]}', r"A span must be .*Received: \[0, 1, ''\]"),
        ('{"text": "a", "spans": [{"start": 0}]}', r"A span must be .*Received: {'start': 0}"),
        ('{"text": "a", "label": [{"start": 0, "end": 1, "labels": ["A", "B"]}]}', "A span must"),
        ("[3]", "entry 1: An entry must be a JSON object. Received: 3"),
        (
            json.dumps(of_label_studio("Ann ran.", [{**MARKED[0], "start": 1, "end": 3}])),
            "PER from 1 to 3, which is 'nn', with the text 'Ann Lee'",
        ),
        (
            '{"data": {"text": "a"}, "annotations": [{"result": [{"type": "hypertextlabels"}]}]}',
            "plain text.*'hypertextlabels'",
        ),
        (b"\xff\xfe{\x00", "must be UTF-8 text. Received: UTF-16"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "span",
    [
        (1, 3, "PER"),
        [np.int64(1), np.int32(3), "PER"],
        {"start": 1, "end": 3, "label": "PER"},
        {"start": 1, "end": 3, "type": "PER"},
        Entity("nn", "PER", 1, 3, 0.9),
    ],
)
def test_a_span_may_be_written_in_many_ways(span):
    assert as_span(span) == (1, 3, "PER")


@pytest.mark.parametrize("span", ["B-PER", (1, 3), (1.0, 3, "PER"), (True, 3, "PER"), (1, 3, 2), 3])
def test_what_is_no_span_is_shown(span):
    with pytest.raises(ValueError, match="A span must be"):
        as_span(span)
