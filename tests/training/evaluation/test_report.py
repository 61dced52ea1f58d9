"""Evaluation: figures of a known translator, whole files, a card made from them alone."""

import json
import re

import pytest

import zoo
from zoo.training.corpora import multi30k
from zoo.training.corpora.files import sha256
from zoo.training.evaluation import translation
from zoo.training.evaluation.card import bucket_label, card_text
from zoo.training.evaluation.report import evaluate, read_metrics, write_report

RAW = {
    "en": ["A man runs.", "Two dogs play in the deep snow of the wide park."],
    "de": ["Ein Mann läuft schnell.", "Zwei Hunde spielen im tiefen Schnee des weiten Parks."],
    "de_tok": [
        "ein mann läuft schnell .",
        "zwei hunde spielen im tiefen schnee des weiten parks .",
    ],
}
TRAINING = {
    "command": "zoo-train nmt_attention --out run",
    "recipe": {"seed": 7, "epochs": 3},
    "epoch": 2,
}


class Parrot:
    """Knows the reference of every source, and what it was asked."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def translate(self, texts, beam_size, batch_size, split_sentences):
        assert not split_sentences
        self.asked.append((len(texts), beam_size, batch_size))
        return [self.answers[text] for text in texts]

    def count_params(self):
        return 1234567


@pytest.fixture
def corpus(tmp_path):
    for split in translation.SPLITS:
        for feature, pattern in multi30k.FILES.items():
            path = tmp_path / "corpus" / pattern.format(multi30k.SPLITS[split][0])
            path = path.with_name(path.name.removesuffix(".gz"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(line + "\n" for line in RAW[feature]), encoding="utf-8")
    return tmp_path / "corpus"


@pytest.fixture
def metrics(corpus, preset, monkeypatch):
    parrot = Parrot(dict(zip(RAW["en"], RAW["de"], strict=True)))
    monkeypatch.setattr(zoo, "load", {preset: parrot}.get)
    return evaluate(preset, corpus, verify=False)


@pytest.fixture
def preset(tmp_path):
    folder = tmp_path / "preset"
    folder.mkdir()
    config = {
        "model": "nmt_attention",
        "config": {"encoder_units": 8},
        "files": {"model.weights.h5": "ab" * 32},
        "training": TRAINING,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_perfect_translations_get_perfect_figures(metrics):
    assert list(metrics["splits"]) == list(translation.SPLITS)
    for split in metrics["splits"].values():
        assert split["sentences"] == 2
        for metric in ("bleu", "cased_bleu", "chrf"):
            assert split[metric]["score"] == pytest.approx(100)
        assert "tok:none" in split["bleu"]["signature"]
        assert split["texts_per_second"] > 0
        assert split["published_data"] is False
        assert set(split["sha256"]) == {"en", "de", "de_tok"}
    assert metrics["parameters"] == 1234567
    assert {"tensorflow", "sacrebleu", "rnn-zoo"} <= metrics["versions"].keys()
    assert metrics["latency"]["median_ms"] <= metrics["latency"]["slowest_ms"]


def test_source_lengths_are_counted_over_the_test_splits_together(metrics):
    lengths = metrics["bleu_by_source_length"]
    assert lengths["splits"] == ["test_2016_flickr", "test_2017_flickr"]
    counts = {b["from"]: b["sentences"] for b in lengths["buckets"] if b["sentences"]}
    assert counts == {0: 2, 10: 2}  # 3 and 11 words, in two splits


def test_wrong_translations_get_less_and_the_model_gets_the_callers_sizes(corpus):
    parrot = Parrot({RAW["en"][0]: RAW["de"][0], RAW["en"][1]: "Zwei Hunde."})
    metrics = translation.evaluate(
        parrot, corpus, ["validation"], beam_size=3, batch_size=2, verify=False
    )
    assert 0 < metrics["splits"]["validation"]["bleu"]["score"] < 60
    assert metrics["bleu_by_source_length"]["splits"] == ["validation"]
    assert (2, 3, 2) in parrot.asked
    assert {beam for _, beam, _ in parrot.asked} == {3}


def test_the_checksums_are_those_of_the_files(corpus, metrics, monkeypatch):
    content = (corpus / "raw" / "val.en").read_bytes()
    digests = metrics["splits"]["validation"]["sha256"]
    assert digests["en"] == sha256(content)
    monkeypatch.setitem(multi30k.CHECKSUMS, "validation", digests)
    parrot = Parrot(dict(zip(RAW["en"], RAW["de"], strict=True)))
    again = translation.evaluate(parrot, corpus, ["validation"], verify=False)
    assert again["splits"]["validation"]["published_data"] is True


def test_no_or_unknown_splits_are_named(corpus):
    with pytest.raises(ValueError, match=r"at least one split\. Received: splits=\(\)"):
        translation.evaluate(Parrot({}), corpus, ())
    with pytest.raises(ValueError, match="Received: splits='validation'"):
        translation.evaluate(Parrot({}), corpus, "validation")
    with pytest.raises(ValueError, match="`split` must be one of"):
        translation.evaluate(Parrot({}), corpus, ["test"])


def test_the_report_is_metrics_and_a_card_with_every_figure(metrics, preset):
    metrics["splits"]["test_2016_flickr"]["published_data"] = True
    metrics["splits"]["test_2016_flickr"]["bleu"]["score"] = 39.876
    path = write_report(preset, metrics, "zoo-train evaluate preset --data-dir corpus")
    assert path == preset / "metrics.json"
    assert sorted(p.name for p in preset.iterdir()) == ["card.md", "config.json", "metrics.json"]
    written = read_metrics(preset)
    assert written["model"] == "nmt_attention"
    assert written["weights_sha256"] == "ab" * 32
    assert written["training"] == TRAINING
    assert written["splits"] == json.loads(json.dumps(metrics["splits"]))

    card = (preset / "card.md").read_text(encoding="utf-8")
    assert card == card_text(json.loads((preset / "config.json").read_text()), written)
    for text in (
        "# nmt_attention\n",
        "1,234,567 parameters",
        "zoo-train evaluate preset --data-dir corpus",
        "seed 7",
        "epoch 2",
        TRAINING["command"],
        "non-commercial",
        "| test_2016_flickr | 2 | **39.88** | 39.00 | 100.00 | 100.00 |",
        "| test_2017_flickr | 2 | **100.00** | - | 100.00 | 100.00 |",  # not the published data
        written["splits"]["validation"]["bleu"]["signature"],
        written["splits"]["validation"]["chrf"]["signature"],
        '"encoder_units": 8',
        "| 10-11 | 2 | 100.00 |",
        "| 21 and more | 0 | - |",
        "photographs",
    ):
        assert text in card
    assert not re.search(r"[{}]", card.replace(json.dumps(TRAINING["recipe"], sort_keys=True), "")
                         .replace('{"encoder_units": 8}', ""))  # fmt: skip


@pytest.mark.parametrize(
    ("training", "text"),
    [
        (None, "how it was trained is not recorded"),
        ({**TRAINING, "command": None}, "zoo.training.recipes.train(...)"),
        ({"data": "my pairs"}, 'As told when it was saved: `{"data": "my pairs"}`'),
    ],
)
def test_a_model_that_no_command_trained_says_so(metrics, preset, training, text):
    config = json.loads((preset / "config.json").read_text())
    (preset / "config.json").write_text(json.dumps({**config, "training": training}))
    write_report(preset, metrics, "zoo-train evaluate")
    assert read_metrics(preset)["training"] == training
    assert text in (preset / "card.md").read_text()


def test_both_translators_have_a_card_and_others_an_error(metrics, preset):
    write_report(preset, metrics, "zoo-train evaluate")
    config = json.loads((preset / "config.json").read_text())
    config["model"] = "nmt_vanilla"
    assert "must fit into one state" in card_text(config, read_metrics(preset))
    config["model"] = "parrot"
    with pytest.raises(ValueError, match="Received: model='parrot'"):
        card_text(config, read_metrics(preset))


def test_metrics_that_are_missing_or_damaged_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"metrics\.json does not exist"):
        read_metrics(tmp_path / "metrics.json")
    (tmp_path / "metrics.json").write_text('{"model"')
    with pytest.raises(ValueError, match=r"metrics\.json is damaged"):
        read_metrics(tmp_path)
    (tmp_path / "metrics.json").write_text("[]")
    with pytest.raises(ValueError, match=r"metrics\.json is damaged"):
        read_metrics(tmp_path)
    (tmp_path / "metrics.json").write_text('{"model": "nmt_attention"}')
    with pytest.raises(ValueError, match="lacks splits"):
        read_metrics(tmp_path)


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [(0, 7, "up to 7"), (8, 9, "8-9"), (10, 10, "10"), (21, None, "21 and more")],
)
def test_buckets_in_words(first, last, label):
    assert bucket_label({"from": first, "to": last}) == label
