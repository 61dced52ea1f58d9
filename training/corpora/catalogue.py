"""Every corpus that a recipe trains on or an evaluation measures, under one name.

Both ask here, so that what a preset was trained on and what it is measured on come from one reader.
Tatoeba's pairs are not here: they have no published splits and are drawn by
`zoo.training.corpora.tatoeba.load_tatoeba`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from zoo.training.corpora import (
    columns,
    conll2003,
    el_nino,
    flickr8k,
    fsdd,
    imdb,
    multi30k,
    reviews,
    running_text,
    sst2,
    tweets,
)
from zoo.training.corpora.columns import Tagged
from zoo.training.corpora.files import sha256
from zoo.training.corpora.multi30k import Sentences


@dataclass(frozen=True)
class Corpus:
    """One corpus: its readers, what makes it the published one, and its terms.

    Attributes:
        name: What recipes and splits call it.
        load: `(data_dir, split, verify)` to the split's parallel lists, such as `Reviews`.
        digests: SHA-256 of each split that can be loaded, as `digest` gives it.
        digest: What `load` gave to its SHA-256 (or those of its columns).
        source: Size, home and citation; Markdown for a card.
        terms: What its licence allows; Markdown for a card.
        load_training: `(data_dir, verify)` to the splits to train on and to choose by, read
            together; None where `load` has them apart at no cost.
        in_model_types: The labels of `load` to those that models learn.
    """

    name: str
    load: Callable[[str | Path | None, str, bool], Any]
    digests: Mapping[str, Any] = field(repr=False)
    digest: Callable[[Any], Any]
    source: str = field(repr=False)
    terms: str = field(repr=False)
    load_training: Callable[..., tuple[Any, Any]] | None = None
    in_model_types: Callable[[Any], Any] = lambda data: data

    @property
    def about(self) -> str:
        """Source and terms, the corpus in a card's words."""
        return f"{self.source} {self.terms}"


class Split(NamedTuple):
    """A split by its name in a report: `imdb_dev` is `dev` of the corpus `imdb`."""

    corpus: Corpus
    name: str

    def load(self, data_dir: str | Path | None, verify: bool) -> Any:
        """Loads the split's parallel lists; see the corpus's own reader."""
        return self.corpus.load(data_dir, self.name, verify)

    def provenance(self, data: Any) -> dict[str, Any]:
        """SHA-256 of what was loaded, and whether it is the published split."""
        digest = self.corpus.digest(data)
        return {"sha256": digest, "published_data": digest == self.corpus.digests[self.name]}


def _sentences_digest(sentences: Sentences) -> dict[str, str]:
    """SHA-256 of each column's unpacked file."""
    return {
        name: sha256("".join(line + "\n" for line in lines).encode())
        for name, lines in sentences._asdict().items()
    }


def _tagged(name: str, **entries: Any) -> Corpus:
    return Corpus(name, digest=columns.content_sha256, **entries)


def _reviews(name: str, module: Any, load: Callable[..., Any], **entries: Any) -> Corpus:
    return Corpus(
        name,
        load,
        module.DIGESTS,
        reviews.digest,
        load_training=module.load_training,
        **entries,
    )


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "multi30k",
            multi30k.load_multi30k,
            multi30k.CHECKSUMS,
            _sentences_digest,
            source=f"""Multi30k, English to German, 29,000 training pairs: {multi30k.HOME} \
(commit `{multi30k.COMMIT}`).
Elliott et al. 2016 (W16-3210), Elliott et al. 2017 (W17-4718).""",
            terms="""The repository has no licence file. Its README allows the underlying images \
for non-commercial
research and educational purposes. Take these weights, which were trained on the captions, as
research data for non-commercial use too.""",
        ),
        _reviews(
            "imdb",
            imdb,
            imdb.load_imdb,
            source=f"""IMDB's Large Movie Review Dataset, 25,000 labelled and 50,000 unlabelled \
training
reviews: {imdb.HOME} (Maas et al. 2011, P11-1015).""",
            terms="""Its authors state no licence and ask to be cited;
the reviews are their writers'. Take these weights as research data.""",
        ),
        _reviews(
            "sst2",
            sst2,
            sst2.load_sst2,
            source=f"""SST-2 as GLUE has it, 67,349 labelled phrases: {sst2.HOME} \
(Socher et al. 2013,
D13-1170; Wang et al. 2019).""",
            terms="The treebank has no licence. Take these weights as research data.",
        ),
        _tagged(
            "conll2003",
            load=conll2003.load_conll2003,
            digests=conll2003.CHECKSUMS,
            source=f"""CoNLL-2003, English, 14,041 training sentences: {conll2003.HOME}
Tjong Kim Sang and De Meulder 2003 (W03-0419).""",
            terms="""**For research only.** The annotation is free, but its text is the Reuters \
Corpus, which is given
out for research under an agreement that does not allow passing it on. Take these weights, and the
vocabulary beside them, as research data too.""",
        ),
        _tagged(
            "wnut17",
            load=tweets.load_wnut17,
            digests=tweets.Wnut17.CHECKSUMS,
            in_model_types=tweets.in_common_types,
            source=f"""WNUT-17, 3,394 training sentences: {tweets.Wnut17.HOME}
(Derczynski et al. 2017, W17-4418)""",
            terms="CC-BY 4.0: name it where you pass the weights on.",
        ),
        _tagged(
            "btc",
            load=tweets.load_btc,
            digests=tweets.Btc.CHECKSUMS,
            in_model_types=tweets.in_common_types,
            source=f"""the Broad Twitter Corpus, 6,338 training tweets:
{tweets.Btc.HOME} (Derczynski, Bontcheva and Roberts 2016, C16-1111)""",
            terms="CC-BY 4.0: name it where you pass the weights on.",
        ),
        Corpus(
            "flickr8k",
            flickr8k.load_flickr8k,
            flickr8k.CHECKSUMS,
            flickr8k.digest,
            source=f"""Flickr8k, 6,000 training pictures with five captions each, squashed to \
224 x 224 pixels:
{flickr8k.HOME} (Hodosh, Young and Hockenmaier 2013, JAIR 47:853-899).""",
            terms="""The corpus is given out for **non-commercial research and education**; the \
pictures belong to
those who put them on Flickr, under licences of their own. Take these weights as research data for
non-commercial use too.""",
        ),
        Corpus(
            "ptb",
            running_text.load_ptb,
            running_text.PTB.digests,
            running_text.PTB.digest,
            source=f"""The Penn Treebank's articles of the Wall Street Journal in Mikolov's form, \
929,589 training words
of 10,000 kinds: {running_text.PTB.home} (Marcus, Santorini and Marcinkiewicz 1993, J93-2004;
Mikolov et al. 2010).""",
            terms="""**Not for commercial use.** The text is the Linguistic Data Consortium's, \
whose licence allows
research and does not allow passing it on; only weights and a list of words are here. Take these
weights as research data too.""",
        ),
        Corpus(
            "wikitext2",
            running_text.load_wikitext2,
            running_text.WIKITEXT2.digests,
            running_text.WIKITEXT2.digest,
            source=f"""WikiText-2, 2,088,628 training words of good and featured articles of \
Wikipedia:
{running_text.WIKITEXT2.home} (Merity et al. 2016).""",
            terms="CC BY-SA 3.0: name it, and pass on what is made of its text alike.",
        ),
        Corpus(
            "elnino",
            el_nino.load_el_nino,
            el_nino.DIGESTS,
            el_nino.digest,
            source=f"""The temperature of the sea's surface off Peru, 480 training months from \
1950 on, as statsmodels
ships it: {el_nino.HOME} (NOAA, ERSST.V3B, region Niño 1+2).""",
            terms="In the public domain.",
        ),
        Corpus(
            "fsdd",
            fsdd.load_fsdd,
            fsdd.DIGESTS,
            fsdd.digest,
            source=f"""The Free Spoken Digit Dataset, version 1.0.10, 2,400 of its 2,700 training \
recordings: {fsdd.HOME}
(Jackson et al., doi:10.5281/zenodo.1342401). Six men say the digits in English; four of them have
another mother tongue.""",
            terms="CC BY-SA 4.0: name it, and pass on what is made of its recordings alike.",
        ),
    )
}


def corpus(name: str) -> Corpus:
    """The corpus of a name.

    Raises:
        ValueError: There is none; the message lists them.
    """
    if name not in CORPORA:
        raise ValueError(f"`name` must be one of {', '.join(CORPORA)}. Received: name={name!r}")
    return CORPORA[name]


def split(name: str) -> Split:
    """The split that a report calls `<corpus>_<split>`, such as `imdb_dev`."""
    owner, _, part = name.rpartition("_")
    return Split(corpus(owner), part)


def load_tagged(
    names: Sequence[str], data_dir: str | Path | None, part: str, verify: bool
) -> Tagged:
    """A split of some corpora, one after the other, with the types that models learn.

    Args:
        names: Corpora of tagged tokens.
        data_dir: A folder with them; None downloads them.
        part: The split, such as "train".
        verify: Whether the data must be the published corpora.
    """
    tokens: list[list[str]] = []
    tags: list[list[str]] = []
    for name in names:
        tagged = corpus(name).in_model_types(corpus(name).load(data_dir, part, verify))
        tokens += tagged.tokens
        tags += tagged.tags
    return Tagged(tokens, tags)
