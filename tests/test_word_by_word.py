"""`docs/serving.md` keeps its word of language models: its clients stream what one call completes.

One server for all: the clients are those of the page, and what they must not send is told.
"""

import contextlib
import io
import re
import shutil
import subprocess

import numpy as np
import pytest

from tests import corpus
from tests.browser.running import playground
from tests.guides import Guide
from tests.serving.rest_client import Client
from zoo import export

FILES = Guide("serving.md").files
NAME, TEXT, HIGHEST = "preset", "the company said", 11
WIDTH = 2 * (9 + 8)  # of the state


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    base = tmp_path_factory.mktemp("models") / NAME
    export.saved_model(corpus.tiny_language_model(), base, verify=False)
    with playground({NAME: base}) as url:
        yield int(re.search(r":(\d+)/", url)[1])


@pytest.fixture(scope="module")
def ask(port):
    """What a signature answers to its inputs, or the error."""
    client = Client(port)

    def ask(signature, inputs, status=200):
        reply = client.predict(NAME, {"signature_name": signature, "inputs": inputs})
        assert reply.status == status, reply.body
        return reply.json["outputs"] if status == 200 else reply.error

    return ask


@pytest.fixture(scope="module")
def completed(ask):
    """The text and the score of one call: the most probable word each time, 30 at most."""
    answer = ask("serving_default", [TEXT])
    words = answer["completion"][0].split()
    assert len(words) == 30
    assert len(set(words)) > 4
    return words, answer["score"][0]


@pytest.fixture(scope="module")
def client(port):
    """The names that `stream.py` defines, and what it prints."""
    names, printed = {"__name__": "__main__"}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(FILES["stream.py"].replace(":8501/", f":{port}/"), names)
    return names, printed.getvalue()


def _run(file, port):
    for program in ("sh", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"There is no {program} on this machine.")
    script = FILES[file].replace(":8501/", f":{port}/")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_in_python_streams_what_one_call_completes(client, completed):
    names, printed = client
    assert printed.split() == completed[0][:20]
    assert list(names["stream"](TEXT, max_tokens=30)) == completed[0]


def test_the_client_of_the_shell_does_too(port, completed):
    assert _run("stream.sh", port).split() == completed[0][:20]


def test_the_client_draws(client, completed):
    stream, random = client[0]["stream"], client[0]["random"]
    assert list(stream(TEXT, 5, temperature=9.0, top_k=1)) == completed[0][:5]
    assert list(stream(TEXT, 5, temperature=1e-6)) == completed[0][:5]
    drawn = []
    for seed in (1, 1, 2):
        random.seed(seed)
        drawn.append(list(stream(TEXT, 8, temperature=9.0)))
    assert drawn[0] == drawn[1] != drawn[2]


def test_steps_have_the_probability_of_one_call_bit_for_bit(ask, completed):
    answer, total = ask("start", [TEXT]), np.float32(0)
    for _ in range(30):
        answer = ask("step", {name: answer[name] for name in ("ids", "state")})
        total += np.float32(answer["log_probability"][0])
    assert total / np.float32(30) == np.float32(completed[1])


def test_the_shell_tells_how_probable_words_are(port, ask):
    lines = [line.split("\t") for line in _run("score.sh", port).splitlines()]
    assert [word for word, _ in lines] == ["the", "company", "said", "it", "rose"]
    scored = ask("score", ["the company said it rose"])
    found = np.array([float(probability) for _, probability in lines])
    np.testing.assert_allclose(found, np.exp(scored["log_probabilities"][0]), rtol=1e-6)


# What is no text of the training's, and what is none of a step's.


def test_texts_of_every_kind_are_gone_on_from(client, ask):
    stream = client[0]["stream"]
    texts = ["", " \n", "?!", "xyzzy", "漢字 🙂", "said it " * 2000]
    written = [list(stream(text, 3)) for text in texts]
    assert written[0] == written[1] == written[2]  # from the end of another text
    assert "<unk>" not in {word for words in written for word in words}
    assert written[3]
    begun = ask("start", texts)
    assert begun["goes_on"] == [True] * 6
    assert np.isfinite(begun["state"]).all()
    scored = ask("score", texts)
    assert scored["lengths"] == [0, 0, 0, 1, 2, 4000]


STATE = [[0.0] * WIDTH]
RANGE = f"`ids` must be from 0 to {HIGHEST}, as `start` and `step` give them"


@pytest.mark.parametrize(
    ("ids", "state", "message"),
    [
        ([HIGHEST + 1], STATE, RANGE),
        ([-1], STATE, RANGE),
        ([2**31], STATE, "2147483648 .* not of expected type: int32"),
        ([3.5], STATE, "3.5 .* not of expected type: int32"),
        (["the"], STATE, '"the" .* not of expected type: int32'),
        ([[3]], STATE, r"`ids` must have the shape \[None\].* Received: shape=\[1, 1\]"),
        (
            [3],
            [STATE[0][1:]],
            rf"must have the shape \[None, {WIDTH}\].* shape=\[1, {WIDTH - 1}\]",
        ),
        ([3], STATE[0], rf"`state` must have the shape \[None, {WIDTH}\].* shape=\[{WIDTH}\]"),
        ([3], [["0.0"] * WIDTH], '"0.0" .* not of expected type: float'),
        ([3, 3], STATE, "`ids` and `state` must have as many rows: a state for each id"),
        ([3], None, "Missing named input: state"),
    ],
)
def test_what_is_no_step_is_told(ask, ids, state, message):
    inputs = {"ids": ids} if state is None else {"ids": ids, "state": state}
    assert re.search(message, ask("step", inputs, status=400))
