"""CoNLL-2003, English: Reuters news of 1996 with persons, locations, organisations and others.

Tjong Kim Sang and De Meulder (2003). Read from a local folder, or through TFDS under its official
name `conll2003`; the sentences are the same.

Not openly licensed: the annotation is free, but the text is the Reuters Corpus, which NIST gives
out for research under an agreement that does not allow passing it on.
"""

from pathlib import Path

from zoo.data import Tagged, read_conll
from zoo.extras import extra
from zoo.training.corpora.columns import content_sha256, find_file
from zoo.training.corpora.download import download_errors
from zoo.training.corpora.files import check_published

with extra("training"):
    import tensorflow_datasets as tfds

HOME = "https://www.clips.uantwerpen.be/conll2003/ner/"

# split -> (TFDS's name for it, names of its file)
SPLITS = {
    "train": ("train", ("eng.train", "train.txt")),
    "validation": ("dev", ("eng.testa", "valid.txt")),
    "test": ("test", ("eng.testb", "test.txt")),
}

# split -> content_sha256 of its sentences
CHECKSUMS = {
    "train": "721b6f0d8658bc8789d6fcf881f6a33e4f47557f7517d3ee7a4d3d45d6cc5eb8",
    "validation": "77239172dd98b03cb2f309dfb494e243d25c26432e72f97ff8e1c18048adf702",
    "test": "314877fb67510c533f762527e6d553167d37195fbe05839b85498ab8381878e1",
}

INSTRUCTIONS = (
    "It must hold eng.train, eng.testa and eng.testb (gzipped or not) as the shared task's script "
    f"makes them from the Reuters Corpus: {HOME}"
)


def load_conll2003(
    data_dir: str | Path | None = None, split: str = "train", verify: bool = True
) -> Tagged:
    """Loads one split.

    Args:
        data_dir: A folder with `eng.train`, `eng.testa` and `eng.testb`, or with `train.txt`,
            `valid.txt` and `test.txt` in the same columns; any may be gzipped. None: TFDS downloads
            `conll2003` once and keeps it. TFDS has the sentences in another order.
        split: One of `SPLITS`.
        verify: Whether the sentences must be the published ones (SHA-256). False lets `data_dir`
            hold another corpus under the same file names.

    Returns:
        `Tagged(tokens, tags)`: 14,041, 3,250 or 3,453 sentences, tags in BIO.

    Raises:
        ConnectionError: `data_dir` is None and the download failed.
        FileNotFoundError: `data_dir` or the file in it is missing.
        ValueError: Unknown split, or content that is damaged or not the published one.

    Example:
        >>> test = load_conll2003("conll2003", "test")  # doctest: +SKIP
        >>> test.tokens[0][:4], test.tags[0][:4]  # doctest: +SKIP
        (['SOCCER', '-', 'JAPAN', 'GET'], ['O', 'O', 'B-LOC', 'O'])
    """
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}. Received: split={split!r}")
    if data_dir is None:
        tagged, source = _from_tfds(SPLITS[split][0]), f"TFDS's conll2003, split {split!r}"
    else:
        path = find_file(data_dir, SPLITS[split][1], "CoNLL-2003", INSTRUCTIONS)
        tagged, source = read_conll(path, " "), str(path)
    if verify:
        what = f"{source} ({len(tagged.tokens)} sentences)"
        check_published(content_sha256(tagged), CHECKSUMS[split], what, HOME)
    return tagged


def _from_tfds(split: str) -> Tagged:
    builder = tfds.builder("conll2003")
    with download_errors(
        "TFDS could not download conll2003",
        f"Name a folder that holds CoNLL-2003 with `data_dir`. {INSTRUCTIONS}",
    ):
        builder.download_and_prepare()
    names = builder.info.features["ner"].feature.names
    # TFDS takes the blank lines at a file's end for one more, empty sentence.
    rows = [row for row in tfds.as_numpy(builder.as_dataset(split)) if len(row["tokens"])]
    return Tagged(
        [[token.decode("utf-8") for token in row["tokens"]] for row in rows],
        [[names[tag] for tag in row["ner"]] for row in rows],
    )
