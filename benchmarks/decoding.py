"""Sentences per second of greedy and beam-5 decoding, beside JoeyNMT 2.3.

Both decode from source ids to target ids with random weights of equal dimensions: vocabulary 8,000,
embedding 256, one bidirectional LSTM of 256 units per direction, additive attention, one LSTM of
512 units; 15 source tokens, and 30 target tokens before which no end token is accepted. The two are
timed in turn, in one process; the table shows medians. Both give ids and scores.

What is not equal: the zoo's read-out is 256 maxout units compared with the tied embedding,
JoeyNMT's is 512 tanh units and an output matrix of its own. So the zoo's largest product is half of
JoeyNMT's.

JoeyNMT pins an older protobuf than TensorFlow needs: install it first, in its own environment.

    pip install torch==2.13.0 joeynmt==2.3 importlib_metadata && pip install -e .
    python -m benchmarks.decoding
"""

import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace

import click
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from zoo.decoding import Hypotheses, beam_search, greedy
from zoo.models.nmt_attention import NMTAttention
from zoo.text.subwords import START_ID, SubwordTokenizer
from zoo.training.corpora.subwords import train_subwords

# From the source, int32 `[batch, 15]`, and the size of the beam to ids `[batch, beam, 30]`.
Decode = Callable[[np.ndarray, int], np.ndarray]

VOCABULARY, EMBEDDING, ENCODER, DECODER = 8_000, 256, 256, 512
SOURCE_LENGTH, STEPS = 15, 30
SETTINGS = [(1, 1), (1, 5), (64, 1), (64, 5)]  # batch, beam


def build_zoo() -> Decode:
    """The decoder around the zoo's model."""
    rng = np.random.default_rng(0)
    letters = rng.integers(ord("a"), ord("z") + 1, size=(30_000, 6)).astype(np.uint8)
    subwords = train_subwords((bytes(word).decode() for word in letters), VOCABULARY)
    model = NMTAttention(
        SubwordTokenizer(subwords),
        embedding_units=EMBEDDING,
        encoder_units=ENCODER,
        decoder_units=DECODER,
        cell="lstm",
    )

    @tf.function(reduce_retracing=True)
    def decode(source: tf.Tensor, beam: int) -> Hypotheses:
        batch = tf.shape(source)[0]
        lengths = tf.fill([batch], SOURCE_LENGTH)
        memory = model.encode({"source": source, "source_lengths": lengths})
        arguments = {"start_id": START_ID, "end_id": -1, "max_lengths": STEPS}
        start = model.make_step(memory), model.start_state(memory), batch
        if beam == 1:
            return greedy(*start, **arguments)
        return beam_search(*start, beam_size=beam, **arguments)

    return lambda source, beam: decode(tf.constant(source), beam).ids.numpy()


def build_joeynmt() -> Decode:
    """The decoder around JoeyNMT's model."""
    import torch
    from joeynmt.model import build_model
    from joeynmt.search import search
    from joeynmt.vocabulary import Vocabulary

    specials = {"unk": 0, "pad": 1, "bos": 2, "eos": 3}
    symbols = {f"{name}_token": f"<{name}>" for name in specials}
    symbols |= {f"{name}_id": index for name, index in specials.items()}
    words = [f"w{index}" for index in range(VOCABULARY - len(specials))]
    vocabulary = Vocabulary(words, SimpleNamespace(**symbols, sep_token=None, lang_tags=[]))
    recurrent = {"rnn_type": "lstm", "embeddings": {"embedding_dim": EMBEDDING}}
    decoder = {"type": "recurrent", "hidden_size": DECODER, "attention": "bahdanau"}
    model = build_model(
        {"encoder": {**recurrent, "hidden_size": ENCODER}, "decoder": {**recurrent, **decoder}},
        src_vocab=vocabulary,
        trg_vocab=vocabulary,
    ).eval()

    def decode(source: np.ndarray, beam: int) -> np.ndarray:
        source = torch.from_numpy(source).long()
        batch = SimpleNamespace(
            src=source,
            src_length=torch.full([len(source)], SOURCE_LENGTH),
            src_mask=torch.ones([len(source), 1, SOURCE_LENGTH], dtype=torch.bool),
            has_trg=False,
        )
        # A minimum length forbids the end token, as end_id=-1 does for the zoo.
        options = {"min_output_length": STEPS, "return_prob": "hyp"}
        return search(model, batch, STEPS, beam, beam_alpha=1.0, **options)[0]

    return decode


def seconds(decode: Decode, source: np.ndarray, beam: int) -> float:
    """Times one call."""
    start = time.perf_counter()
    ids = decode(source, beam)
    elapsed = time.perf_counter() - start
    if ids.shape[-1] != STEPS:
        raise RuntimeError(f"Expected {STEPS} steps. Received: ids of shape {ids.shape}")
    return elapsed


@click.command()
@click.option("--rounds", default=7, show_default=True, help="Timings of each setting.")
@click.option("--joeynmt/--no-joeynmt", default=True, help="Whether to time JoeyNMT too.")
def main(rounds: int, joeynmt: bool) -> None:
    """Time greedy and beam search."""
    decoders = {"zoo": build_zoo()}
    if joeynmt:
        decoders["joeynmt"] = build_joeynmt()
    rng = np.random.default_rng(1)
    table = Table("batch", "beam", *(f"{name} [sentences/s]" for name in decoders), "ratio")
    for batch, beam in SETTINGS:
        source = rng.integers(4, VOCABULARY, size=(batch, SOURCE_LENGTH)).astype(np.int32)
        times = {name: [] for name in decoders}
        for turn in range(rounds + 1):
            for name, decode in decoders.items():
                elapsed = seconds(decode, source, beam)
                if turn:  # the first traces the graph and warms up
                    times[name].append(elapsed)
        medians = {name: statistics.median(values) for name, values in times.items()}
        ratio = f"{medians['joeynmt'] / medians['zoo']:.2f}" if joeynmt else ""
        rates = [f"{batch / median:.1f}" for median in medians.values()]
        table.add_row(str(batch), str(beam), *rates, ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
