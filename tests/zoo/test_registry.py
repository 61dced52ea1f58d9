"""The one place where models are known: by a decorator, also from a package of the user's own."""

import json
import subprocess
import sys

import pytest

import zoo
from tests import corpus
from tests.zoo.models.toy_captioner import ToyCaptioner
from zoo import registry
from zoo.models import NER, TextClassifier


@pytest.fixture
def apart(monkeypatch):
    """Registrations that are gone after the test."""
    registry.find_models()
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    monkeypatch.setattr(registry, "_former", dict(registry._former))


def subclass(name="Reader", module="somewhere.else"):
    return type(name, (NER,), {"__module__": module})


def test_names_are_those_of_classes_in_snake_case(apart):
    assert {"language_model", "ner", "nmt_attention", "nmt_vanilla", "text_classifier"} <= set(
        registry.model_names()
    )
    assert registry.model_name(NER) == "ner"
    cls = zoo.register(subclass("DateReader"))
    assert registry.model_class("date_reader") is cls
    assert zoo.register(name="dates")(subclass("Other")) is registry.model_class("dates")


def test_a_former_name_is_known_and_never_written(apart):
    assert registry.model_class("sentiment") is TextClassifier
    assert registry.model_name(TextClassifier) == "text_classifier"
    cls = zoo.register(subclass("Newer"), former_names=["older"])
    assert registry.model_class("older") is registry.model_class("newer") is cls


def test_a_taken_name_and_what_is_no_model_are_told(apart):
    with pytest.raises(ValueError, match=r"'ner' is taken by zoo\.models\.ner\.NER.*somewhere"):
        zoo.register(subclass("NER"))
    with pytest.raises(ValueError, match="'sentiment' is taken"):
        zoo.register(subclass("Sentiment"))
    for wrong in (int, 3, lambda: None):
        with pytest.raises(TypeError, match="decorates subclasses of ZooModel"):
            zoo.register(wrong)
    # Running a cell of a notebook again is no second model.
    first, again = subclass("Cell", "__main__"), subclass("Cell", "__main__")
    zoo.register(first)
    assert registry.model_class(registry.model_name(zoo.register(again))) is again


def test_models_of_a_cell_that_was_run_again_are_saved_still(apart, tmp_path):
    def cell():
        return zoo.register(type("Cell", (TextClassifier,), {"__module__": "__main__"}))

    first = cell()
    model = first(corpus.tiny_sentiment().vocabulary, embedding_units=8, units=6)
    again = cell()
    folder = zoo.save(model, tmp_path / "preset", half=False)
    loaded = zoo.load(folder)
    assert type(loaded) is again is not first
    assert loaded.classify("good") == model.classify("good")
    # What was never registered is refused, whatever it is called.
    never = type("Cell", (TextClassifier,), {"__module__": "__main__"})
    with pytest.raises(TypeError, match=r"zoo\.register"):
        zoo.save(never(model.vocabulary, embedding_units=8, units=6), tmp_path / "other")


def test_an_unknown_model_gets_the_close_ones_and_the_way_to_it():
    with pytest.raises(ValueError, match=r"'text_clasifier'\. Did you mean 'text_classifier'"):
        registry.model_class("text_clasifier")
    with pytest.raises(ValueError, match=r"package 'my-dates': install that.*rnn_zoo\.models"):
        registry.model_class("date_reader", "my-dates")


def test_loading_imports_no_module_that_a_file_names(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = zoo.save(corpus.tiny_sentiment(), tmp_path / "preset")
    config = json.loads((folder / "config.json").read_text())
    for model in ("evil", "evil.Model", "evil:Model"):
        changed = {**config, "model": model, "package": "evil"}
        (folder / "config.json").write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=r"config\.json names an unknown model: 'evil.*evil'"):
            zoo.load(folder)
    assert "evil" not in sys.modules


def test_a_model_of_another_modality_is_saved_and_loaded(tmp_path):
    model = ToyCaptioner(corpus.tiny_tokenizer())
    image = [[9] * 6] * 6
    loaded = zoo.load(zoo.save(model, tmp_path / "preset", half=False))
    assert type(loaded) is ToyCaptioner
    assert loaded.caption(image) == model.caption(image)


def test_a_broken_package_is_told_and_the_others_work(tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[rnn_zoo.models]\nmine = not_there\n")
    code = "from zoo import registry; print(registry.model_names())"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "text_classifier" in result.stdout
    assert "'not_there', which the entry point 'mine'" in result.stderr
