"""The Penn Treebank's files with a made-up text: firms, and what they say."""

import gzip

import numpy as np

FIRMS = ["ford", "ibm", "<unk>"]
SAYINGS = ["said it rose N %", "said profit fell", "will n't say", "rose N % to N $"]
_rng = np.random.default_rng(0)


def _lines(count):
    return [f"{_rng.choice(FIRMS)} {_rng.choice(SAYINGS)}".split() for _ in range(count)]


LINES = {"train": _lines(80), "valid": _lines(12), "test": _lines(10)}


def write_ptb(folder, pack=False):
    """`ptb.train.txt` and its like, gzipped if `pack`; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in LINES.items():
        data = "".join(f" {' '.join(line)} \n" for line in lines).encode()
        path = folder / f"ptb.{name}.txt{'.gz' if pack else ''}"
        path.write_bytes(gzip.compress(data) if pack else data)
    return folder
