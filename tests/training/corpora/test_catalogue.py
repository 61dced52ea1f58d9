"""The catalogue: what recipes train on and evaluations measure is in it, with its words."""

import pytest

from tests.training.corpora.made_up_imdb import write_folder
from zoo.training import recipes
from zoo.training.corpora import catalogue, imdb
from zoo.training.corpora.reviews import digest
from zoo.training.loop.schedule import recorded


def test_every_corpus_of_a_recipe_is_in_the_catalogue():
    for name in recipes.names():
        recipe = recorded(recipes.recipe(name))
        for corpus in [*recipe.get("corpora", ()), *filter(None, [recipe.get("corpus")])]:
            assert catalogue.corpus(corpus).name == corpus


def test_every_split_of_an_evaluation_has_a_digest():
    for module in recipes.modules():
        for split in module.EVALUATION.splits:
            if module.EVALUATION.verb == "translate":
                assert catalogue.corpus("multi30k").digests[split]
            else:
                corpus, part = catalogue.split(split)
                assert corpus.digests[part]


def test_every_corpus_tells_its_home_and_terms():
    for corpus in catalogue.CORPORA.values():
        assert "http" in corpus.source
        assert corpus.terms.rstrip().endswith(".")
        assert corpus.about == f"{corpus.source} {corpus.terms}"


def test_a_split_is_loaded_and_compared_with_the_published_one(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "imdb")
    split = catalogue.split("imdb_dev")
    reviews = split.load(folder, verify=False)
    assert reviews == imdb.load_imdb(folder, "dev", verify=False)
    assert split.provenance(reviews) == {"sha256": digest(reviews), "published_data": False}
    monkeypatch.setitem(imdb.DIGESTS, "dev", digest(reviews))
    assert split.provenance(reviews)["published_data"]


def test_an_unknown_corpus_is_told():
    with pytest.raises(ValueError, match=r"must be one of multi30k, imdb.*name='imbd'"):
        catalogue.split("imbd_dev")
