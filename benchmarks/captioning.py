"""Pictures per second from JPEG bytes to caption, beside the same network in PyTorch.

Both decode JPEGs of 640 by 480 pixels, squash them to 224 by 224, run EfficientNet-Lite0 and write
20 words with attention over its grid of 7 by 7: annotations of 384 units, an LSTM of 512, additive
attention of 192, embedding 256 and a vocabulary of 3,000, all with random weights and no end token.
PyTorch's side is timm's `tf_efficientnet_lite0` and a decoder written out below, with a beam that
is kept in tensors as the zoo's is. The two are timed in turn, in one process; the table shows
medians. `parts` shows where the zoo's time goes.

What is not equal: the zoo decodes JPEGs in its graph, with exact inverse cosines; PyTorch's side
has Pillow, which is the usual way there. The zoo's read-out is 256 maxout units compared with the
tied embedding, and so is that of PyTorch's side.

    pip install torch==2.13.0 torchvision timm pillow && pip install -e .
    python -m benchmarks.captioning
"""

import contextlib
import functools
import io
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

with contextlib.suppress(ImportError):
    import timm  # noqa: F401 - the triton that it loads crashes when TensorFlow was there first

import click
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from zoo.decoding import beam_search, greedy
from zoo.models.show_attend_tell import ShowAttendTell
from zoo.pictures import decode_pictures
from zoo.text.subwords import START_ID, SubwordTokenizer
from zoo.training.corpora.subwords import train_words

# From JPEGs and the size of the beam to ids `[batch, STEPS]`.
Caption = Callable[[list[bytes], int], np.ndarray]

VOCABULARY, EMBEDDING, ANNOTATION, UNITS, ATTENTION = 3_000, 256, 384, 512, 192
IMAGE, STEPS = 224, 20
SETTINGS = [(1, 1), (1, 3), (32, 1), (32, 3)]  # batch, beam


def jpegs(count: int) -> list[bytes]:
    """Different pictures of 640 by 480 pixels: soft shapes with some noise, as photographs have."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        coarse = tf.image.resize(rng.uniform(0, 255, [12, 16, 3]), [480, 640], "bicubic")
        noisy = np.clip(coarse.numpy() + rng.normal(0, 6, [480, 640, 3]), 0, 255)
        pictures.append(tf.io.encode_jpeg(noisy.astype(np.uint8), quality=90).numpy())
    return pictures


class ZooCaptioner:
    """The zoo's model, searched for exactly `STEPS` words."""

    def __init__(self) -> None:
        words = [f"word{number}" for number in range(VOCABULARY - 4)]
        self.model = ShowAttendTell(
            SubwordTokenizer(train_words(words, 1)),
            embedding_units=EMBEDDING,
            annotation_units=ANNOTATION,
            units=UNITS,
            attention_units=ATTENTION,
        )
        contents = [tf.TensorSpec([None], tf.string)]
        self.decode = tf.function(
            lambda c: decode_pictures(c, IMAGE), input_signature=contents, autograph=False
        )
        self.encode = tf.function(self.model.make_inputs, input_signature=contents, autograph=False)
        self.searches = {
            beam: tf.function(self._search(beam), input_signature=contents, autograph=False)
            for beam in {beam for _, beam in SETTINGS}
        }

    def _search(self, beam: int) -> Callable[[tf.Tensor], tf.Tensor]:
        def run(contents: tf.Tensor) -> tf.Tensor:
            memory = self.model.memory_of(self.model.make_inputs(contents))
            start = (
                self.model.make_step(memory),
                self.model.start_state(memory),
                tf.shape(contents)[0],
            )
            arguments = {"start_id": START_ID, "end_id": -1, "max_lengths": STEPS}
            if beam == 1:
                return greedy(*start, **arguments).ids[:, 0]
            return beam_search(*start, beam_size=beam, **arguments).ids[:, 0]

        return run

    def __call__(self, pictures: list[bytes], beam: int) -> np.ndarray:
        """Ids of the best hypothesis of each picture."""
        return self.searches[beam](tf.constant(pictures)).numpy()


def build_torch() -> Caption:
    """The same network in PyTorch."""
    import timm
    import torch
    from PIL import Image
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)
    encoder = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    annotation = nn.Linear(1280, ANNOTATION)
    keys_of, query_of = nn.Linear(ANNOTATION, ATTENTION), nn.Linear(UNITS + EMBEDDING, ATTENTION)
    energy, gate = nn.Linear(ATTENTION, 1, bias=False), nn.Linear(UNITS + EMBEDDING, 1)
    cell, bridge = nn.LSTMCell(EMBEDDING + ANNOTATION, UNITS), nn.Linear(ANNOTATION, UNITS)
    embedding = nn.Embedding(VOCABULARY, EMBEDDING)
    readout = nn.Linear(UNITS + ANNOTATION + EMBEDDING, 2 * EMBEDDING)

    def pixels(picture: bytes) -> Any:
        image = Image.open(io.BytesIO(picture)).convert("RGB").resize((IMAGE, IMAGE))
        return torch.from_numpy(np.array(image))

    def step(ids: Any, h: Any, c: Any, keys: Any, places: Any) -> tuple:
        embedded = embedding(ids)
        query = torch.cat([h, embedded], -1)
        scores = energy(torch.tanh(keys + query_of(query)[:, None]))[..., 0]
        context = torch.bmm(functional.softmax(scores, -1)[:, None], places)[:, 0]
        context = torch.sigmoid(gate(query)) * context
        h, c = cell(torch.cat([embedded, context], -1), (h, c))
        pairs = readout(torch.cat([h, context, embedded], -1)).unflatten(-1, (EMBEDDING, 2))
        return functional.log_softmax(pairs.amax(-1) @ embedding.weight.T, -1), h, c

    @torch.inference_mode()
    def caption(pictures: list[bytes], beam: int) -> np.ndarray:
        batch = torch.stack([pixels(picture) for picture in pictures]).permute(0, 3, 1, 2)
        grid = encoder.forward_features((batch.float() - 127) / 128).flatten(2).transpose(1, 2)
        places = torch.relu(annotation(grid))
        h = torch.tanh(bridge(places.mean(1)))
        c, count = torch.zeros_like(h), len(pictures)
        places, keys = places.repeat_interleave(beam, 0), keys_of(places).repeat_interleave(beam, 0)
        h, c = h.repeat_interleave(beam, 0), c.repeat_interleave(beam, 0)
        ids = torch.full([count * beam], START_ID)
        # At first all hypotheses are alike: one counts.
        total = torch.full([count, beam], -torch.inf)
        total[:, 0] = 0
        texts = torch.empty([count * beam, 0], dtype=torch.long)
        for _ in range(STEPS):
            log_probs, h, c = step(ids, h, c, keys, places)
            sums = (total.view(-1, 1) + log_probs).view(count, -1)
            total, chosen = sums.topk(beam)
            rows = (torch.arange(count)[:, None] * beam + chosen // VOCABULARY).view(-1)
            ids = (chosen % VOCABULARY).view(-1)
            h, c, texts = h[rows], c[rows], torch.cat([texts[rows], ids[:, None]], 1)
        return texts.view(count, beam, STEPS)[:, 0].numpy()

    return caption


def seconds(run: Callable[[], np.ndarray]) -> float:
    """Times one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


@click.command()
@click.option("--rounds", default=7, show_default=True, help="Timings of each setting.")
@click.option("--torch/--no-torch", "with_torch", default=True, help="Whether to time PyTorch too.")
def main(rounds: int, with_torch: bool) -> None:
    """Time captions of pictures, and tell where the zoo's time goes."""
    zoo_captioner = ZooCaptioner()
    captioners: dict[str, Caption] = {"zoo": zoo_captioner}
    if with_torch:
        captioners["torch"] = build_torch()
    table = Table("batch", "beam", *(f"{name}, pictures/s" for name in captioners), "ratio")
    for batch, beam in SETTINGS:
        pictures = jpegs(batch)
        times = {name: [] for name in captioners}
        for turn in range(rounds + 1):
            for name, caption in captioners.items():
                elapsed = seconds(functools.partial(caption, pictures, beam))
                if turn:  # the first traces the graph and warms up
                    times[name].append(elapsed)
        medians = {name: statistics.median(values) for name, values in times.items()}
        ratio = f"{medians['torch'] / medians['zoo']:.2f}" if with_torch else ""
        rates = [f"{batch / median:.1f}" for median in medians.values()]
        table.add_row(str(batch), str(beam), *rates, ratio)
    console = Console()
    console.print(table)

    parts = Table("batch", "JPEG to pixels, ms", "and encoder, ms", "and greedy search, ms")
    for batch in (1, 32):
        contents, pictures = tf.constant(jpegs(batch)), jpegs(batch)
        stages = (
            functools.partial(zoo_captioner.decode, contents),
            functools.partial(zoo_captioner.encode, contents),
            functools.partial(zoo_captioner, pictures, 1),
        )
        cells = []
        for stage in stages:
            stage()
            median = statistics.median(seconds(stage) for _ in range(rounds))
            cells.append(f"{1000 * median:.1f}")
        parts.add_row(str(batch), *cells)
    console.print(parts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"Peak memory of the process: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
