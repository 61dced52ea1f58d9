"""Every method that `dir(model)` shows: it works, or is refused with the way to go."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from tests.zoo.models.tiny_forecaster import quarters, tiny_forecaster

pytestmark = pytest.mark.usefixtures("few_steps")

TEXT = "The film was clever in Ulm."
TAGGED = (["in", "Ulm"], ["O", "B-LOC"])

# Each takes a model and a folder. What a model of one family has besides stands below.
WORKS = {
    "add_loss": None,  # for those who write a `call`, see test_added_losses
    "add_variable": None,  # see `add_weight`
    "add_weight": None,  # for those who write a layer: the model would have a weight more
    "answers": lambda model, _: model.answers(entries(model), lambda batch, places: places),
    "assets": lambda model, _: model.assets(),
    "build": lambda model, _: model.build(),
    "build_from_config": lambda model, _: model.build_from_config({"input_shape": None}),
    "call": lambda model, _: model.call(inputs(model)),
    "compile": lambda model, _: model.compile(loss=model.loss),
    "compile_from_config": lambda model, _: model.compile_from_config(model.get_compile_config()),
    "compiled_loss": None,  # see `compute_loss`: none of the models has one of Keras's alone
    "compute_loss": lambda model, _: model.compute_loss(*outcome(model)),
    "compute_mask": lambda model, _: model.compute_mask(inputs(model), None),
    "compute_metrics": lambda model, _: model.compute_metrics(*outcome(model)),
    "compute_output_spec": lambda model, _: model.compute_output_spec(symbols(model)),
    "console_answers": lambda model, _: model.console_answers(typed(model)),
    "count_params": lambda model, _: model.count_params(),
    "evaluate": lambda model, _: model.evaluate(*raw(model), verbose=0),
    "evaluate_report": lambda model, _: model.evaluate_report(*raw(model)),
    "finish": None,  # `__init__` calls it
    "fit": lambda model, _: model.fit(*raw(model), verbose=0),
    "from_assets": lambda model, _: model.from_assets(model.get_config(), model.assets()),
    "get_compile_config": lambda model, _: model.get_compile_config(),
    "get_config": lambda model, _: model.get_config(),
    "get_layer": lambda model, _: model.get_layer(index=0),
    "get_metrics_result": lambda model, _: model.get_metrics_result(),
    "get_quantization_layer_structure": lambda model, _: model.get_quantization_layer_structure(),
    "get_state_tree": lambda model, _: model.get_state_tree(),
    "get_weights": lambda model, _: model.get_weights(),
    "load_own_variables": lambda model, _: model.load_own_variables(own_variables(model)),
    "load_weights": lambda model, path: (
        model.save_weights(path / "m.weights.h5"),
        model.load_weights(path / "m.weights.h5"),
    ),
    "loss": None,  # see `compute_loss`
    "make_inputs": None,  # of what `preprocess` reads, which differs
    "make_predict_function": lambda model, _: model.make_predict_function(),
    "make_test_function": lambda model, _: model.make_test_function(),
    "make_train_function": lambda model, _: model.make_train_function(),
    "mean_loss": lambda model, _: model.mean_loss(tf.ones([2])),
    "predict": lambda model, _: model.predict(inputs(model), verbose=0),
    "predict_on_batch": lambda model, _: model.predict_on_batch(inputs(model)),
    "predict_step": lambda model, _: model.predict_step((inputs(model),)),
    "preprocess": lambda model, _: prepared(model),
    "raw_columns": lambda model, _: model.raw_columns(*raw(model)),
    "rematerialized_call": lambda model, _: model.rematerialized_call(model.call, inputs(model)),
    "reset_metrics": lambda model, _: model.reset_metrics(),
    "run_graph": lambda model, _: model.run_graph(
        lambda batch: {"same": batch}, (tf.constant([""]),), (tf.TensorSpec([None], tf.string),)
    ),
    "save_own_variables": lambda model, _: model.save_own_variables({}),
    "save_weights": lambda model, path: model.save_weights(path / "m.weights.h5"),
    "set_state_tree": lambda model, _: model.set_state_tree(model.get_state_tree()),
    "set_weights": lambda model, _: model.set_weights(model.get_weights()),
    "signature": lambda model, _: model.signature(lambda of: {"same": of}, entries(model)),
    "signatures": lambda model, _: model.signatures(),
    "stateless_call": lambda model, _: model.stateless_call(*variables(model), inputs(model)),
    "stateless_compute_loss": None,  # `compute_loss` with values for the variables
    "summary": lambda model, _: model.summary(print_fn=lambda *_, **__: None),
    "symbolic_call": lambda model, _: model.symbolic_call(symbols(model)),
    "test_on_batch": lambda model, _: model.test_on_batch(*raw(model)),
    "test_step": lambda model, _: model.test_step(prepared(model)),
    "train_on_batch": lambda model, _: model.train_on_batch(*raw(model)),
    "train_step": lambda model, _: model.train_step(prepared(model)),
}
REFUSED = {
    "add_metric": (lambda model, path: model.add_metric(1.0), "compile"),
    # Shapes do not tell that the inputs are ids; `compute_output_spec` is told.
    "compute_output_shape": (lambda model, path: model.compute_output_shape((2, 3)), "implement"),
    "export": (lambda model, path: model.export(path / "e"), r"zoo-export.*saved_model\(model"),
    "from_config": (lambda model, path: model.from_config({}), "zoo.load"),
    "get_build_config": (lambda model, path: model.get_build_config(), "zoo.save"),
    "quantize": (lambda model, path: model.quantize("int8"), "zoo.save"),
    "quantized_build": (lambda model, path: model.quantized_build([1], "int8"), "quantized_build"),
    "quantized_call": (lambda model, path: model.quantized_call(inputs(model)), "quantization"),
    "save": (lambda model, path: model.save(path / "m.keras"), "zoo.save"),
    "to_json": (lambda model, path: model.to_json(), "zoo.save"),
}
# What only these have: their verbs, and the parts of their verbs, which tests of their own try.
OWN = {
    "classify": {"words_of", "network", "classify", "tune_thresholds"},
    "tag": {"tag", "tag_tokens", "assign_words", "align"},
    "translate": {
        *("translate", "write", "best", "search", "search_inputs", "encode", "encode_source"),
        *("embed_source", "max_lengths", "is_blank", "source_outputs", "draw_attention"),
        *("training_batch", "memory_of", "teacher_force", "start_state", "make_step", "texts_of"),
        *("make_answer", "token_names", "entry_lengths"),
        *("make_answers", "search_encoded", "write_with"),
    },
    "complete": {
        *("complete", "stream", "score", "console_stream", "continuations", "ids_of", "written"),
        *("read", "features", "token_loss", "token_losses", "scores", "start_state", "next_word"),
        *("known_words", "pack_state", "unpack_state", "read_on", "started", "read_state"),
        "next_scores",
    },
    "forecast": {"forecast", "calibrate", "scaled_errors", "seasonal_naive"},
}
SERIES = quarters(20)


@pytest.fixture(params=list(OWN))
def model(request, tokenizer):
    makers = {
        "classify": lambda: corpus.tiny_sentiment(labels=["bug", "praise"]),
        "tag": corpus.tiny_ner,
        "translate": lambda: corpus.tiny_attention(tokenizer),
        "complete": lambda: corpus.tiny_language_model(dropout=0.0),
        "forecast": tiny_forecaster,
    }
    return makers[request.param]()


def raw(model):
    """The columns of a row."""
    rows = {
        "classify": ([TEXT], ["praise"]),
        "translate": (["A dog."], ["Ein Hund."]),
        "complete": ([TEXT],),
        "forecast": ([SERIES],),
    }
    return rows.get(model.task) or tuple([column] for column in TAGGED)


def entries(model):
    """What the verb takes."""
    return [SERIES] if model.task == "forecast" else [TEXT]


def typed(model):
    """The same as on a command line."""
    return [" ".join(map(str, SERIES)).encode()] if model.task == "forecast" else [TEXT]


def prepared(model):
    return model.preprocess(*model.raw_columns(*raw(model)))


def inputs(model):
    return prepared(model)[0]


def outcome(model):
    """The arguments of `compute_loss`: inputs, targets, what the network gives, weights."""
    given, targets, *weights = prepared(model)
    return given, targets, model(given), *weights


def symbols(model):
    specs = model.network_inputs.items()
    return {name: keras.KerasTensor(spec.shape, spec.dtype) for name, spec in specs}


def own_variables(model):
    store = {}
    model.save_own_variables(store)
    return store


def variables(model):
    return [
        [variable.value for variable in group]
        for group in (model.trainable_variables, model.non_trainable_variables)
    ]


def methods(model):
    """The public names that are methods, rather than layers, metrics or values."""
    kinds = types.MethodType | types.FunctionType
    return {
        name
        for name in dir(model)
        if not name.startswith("_")
        and not isinstance(getattr(type(model), name, None), property)
        and isinstance(getattr(model, name), kinds)
    }


def test_every_method_is_told_here(model):
    told = {*WORKS, *REFUSED, *OWN[model.task]}
    new = methods(model) - told
    assert not new, f"{sorted(new)}: does it work, or is it refused with the way to go?"


def test_what_works(model, tmp_path):
    faults = {}
    for name in sorted(methods(model) & WORKS.keys()):
        if WORKS[name]:
            try:
                WORKS[name](model, tmp_path)
            except Exception as error:  # all that fail are shown, not the first alone
                faults[name] = f"{type(error).__name__}: {str(error)[:300]}"
    assert not faults, "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def test_what_is_refused(model, tmp_path):
    for call, way in REFUSED.values():
        with pytest.raises((NotImplementedError, ValueError), match=way):
            call(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_batch_is_raw_or_prepared(model):
    """Both ways give the loss of `evaluate`; a step of training makes it smaller."""
    rows = tuple(column * 3 for column in raw(model))
    expected = model.evaluate(*rows, verbose=0, return_dict=True)["loss"]
    for batch in (rows, model.preprocess(*model.raw_columns(*rows))):
        found = model.test_on_batch(*batch, return_dict=True)["loss"]
        assert found == pytest.approx(expected, rel=1e-4)
    weights = [{"sample_weight": [1.0, 2.0, 1.0]}] * 3
    if model.task == "forecast":  # whose windows count alike
        weights = [{}] * 3
    else:
        before = model.get_weights()
        model.train_on_batch(*rows, sample_weight=[0.0, 0.0, 0.0])
        for kept, weight in zip(before, model.get_weights(), strict=True):
            np.testing.assert_allclose(kept, weight, atol=1e-6)
    for more in weights:
        model.train_on_batch(*rows, **more)
    assert model.evaluate(*rows, verbose=0, return_dict=True)["loss"] < expected


def test_a_batch_that_is_none_is_told(model):
    rows = raw(model)
    told = "one entry for each other" if len(rows) > 1 else "`y` must be left out"
    with pytest.raises((TypeError, ValueError), match=told):
        model.train_on_batch(rows[0], rows[-1] * 2)
    with pytest.raises(ValueError, match=r"`class_weight` is an argument of `fit`.*sample_weight"):
        model.train_on_batch(*rows, class_weight={"praise": 2.0})
    with pytest.raises(TypeError, match=rf"`predict_on_batch`.*`model\.{model.task}\(\.\.\.\)`"):
        model.predict_on_batch(rows[0])
