"""What `zoo.export.saved_model` writes, read back without it."""

import errno

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.export.tiny_models import EXAMPLE, Offers, meta_graph, signature
from zoo import export
from zoo.export import ExportError, operations


def rows(text):
    return {"rows": tf.ones_like(text, tf.float32)}


def test_publishes_one_version_and_leaves_nothing_else(base):
    assert [path.name for path in base.iterdir()] == ["1"]


def test_names_types_and_shapes_are_pinned(base):
    signatures = meta_graph(base / "1").signature_def
    signatures.pop("__saved_model_init_op")
    assert set(signatures) == {"serving_default", "lengths"}
    served = signatures["serving_default"]
    assert {name: info.name for name, info in served.inputs.items()} == {
        "text": "serving_default_text:0"
    }
    assert {name: tf.as_dtype(info.dtype) for name, info in served.outputs.items()} == {
        "echo": tf.string,
        "score": tf.float32,
        "words": tf.string,
    }
    for info in (*served.inputs.values(), *served.outputs.values()):
        assert [dim.size for dim in info.tensor_shape.dim] == [-1]


def test_names_do_not_change_from_one_export_to_the_next(base, scorer, tmp_path):
    again = export.saved_model(scorer, tmp_path / "again", verify=False)
    assert meta_graph(again).signature_def == meta_graph(base / "1").signature_def


def test_a_saved_model_is_loaded_by_tensorflow_2_too(base, scorer):
    served = tf.saved_model.load(str(base / "1")).signatures["serving_default"]
    text = tf.constant(["two men read a book", ""])
    got, own = served(text=text), scorer.answer(text)
    np.testing.assert_allclose(got["score"], own["score"], rtol=1e-5)
    assert got["words"].numpy().tolist() == [b"many", b"none"]


def test_saves_what_the_signatures_use_and_nothing_of_the_training(base, scorer):
    saved = dict(tf.train.list_variables(str(base / "1" / "variables" / "variables")))
    saved.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    assert sorted(map(tuple, saved.values())) == sorted(
        tuple(weight.shape) for weight in scorer.trainable_variables
    )
    tables = [node for node in meta_graph(base / "1").graph_def.node if node.op == "HashTableV2"]
    assert len(tables) == 1  # the model has a second one, which no signature uses


def test_versions_count_up_and_never_touch_the_published_ones(tmp_path):
    model = Offers(serving_default=signature(rows))
    first = export.saved_model(model, tmp_path, version=7, verify=False)
    before = (first / "saved_model.pb").stat()
    assert export.saved_model(model, tmp_path, verify=False) == tmp_path / "8"
    with pytest.raises(FileExistsError, match=r"version 7 exists.*version=9, or version=None"):
        export.saved_model(model, tmp_path, version=7, verify=False)
    assert (first / "saved_model.pb").stat() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8"]


def test_warm_up_replays_every_signature_with_its_exact_types(base):
    path = base / "1" / "assets.extra" / "tf_serving_warmup_requests"
    logs = [PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset([path])]
    requests = {log.predict_log.request.model_spec.signature_name: log for log in logs}
    loaded = tf.saved_model.load(str(base / "1"))
    assert set(requests) == set(loaded.signatures) == {"serving_default", "lengths"}
    for name, log in requests.items():
        inputs = log.predict_log.request.inputs
        assert inputs["text"].dtype == tf.string.as_datatype_enum
        text = tf.make_ndarray(inputs["text"])
        assert text.tolist() == EXAMPLE.tolist()
        loaded.signatures[name](text=tf.constant(text))


def test_warm_up_without_the_protos_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_serving.apis", None)
    with pytest.raises(ImportError, match=r"pip install 'rnn-zoo\[serving\]'"):
        export.saved_model(Offers(serving_default=signature(rows)), tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_operations_are_tensorflow_s_and_tf_text_s(base):
    used = operations.used(base / "1")
    assert {"SentencepieceTokenizeOp", "MatMul", "LookupTableFindV2"} <= set(used)
    operations.check(base / "1")


def test_an_operation_of_neither_is_refused(base, tmp_path):
    saved = SavedModel.FromString((base / "1" / "saved_model.pb").read_bytes())
    node = next(n for n in saved.meta_graphs[0].graph_def.node if n.op == "SentencepieceOp")
    node.op = "Addons>GatherTree"
    (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(ExportError, match=r"Addons>GatherTree in graph: .* neither to TensorFlow"):
        operations.check(tmp_path)


def python_function(text):
    return {"rows": tf.numpy_function(lambda text: np.ones(len(text)), [text], tf.float64)}


@tf.function(jit_compile=True)
def compiled(rows):
    return 2 * rows


def cudnn(text):
    ones = tf.ones([1, tf.shape(text)[0], 4])
    output, *_ = tf.raw_ops.CudnnRNN(
        input=ones, input_h=ones, input_c=ones, params=tf.ones([1000]), rnn_mode="lstm"
    )
    return {"output": output[0]}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (python_function, "PyFunc in function .*: it calls Python"),
        (lambda text: {"rows": compiled(rows(text)["rows"])}, r"jit_compile=True"),
        (cudnn, "CudnnRNN in function .*: it runs on a GPU only"),
    ],
    ids=["python", "xla", "cudnn"],
)
def test_a_graph_that_tensorflow_serving_cannot_run_is_refused(tmp_path, function, message):
    with pytest.raises(ExportError, match=message):
        export.saved_model(
            Offers(serving_default=signature(function)), tmp_path / "base", verify=False
        )
    assert not (tmp_path / "base").exists()


def test_an_export_that_answers_otherwise_than_the_model_is_not_published(tmp_path):
    def fickle(text):
        return {"says": tf.strings.join([text, "eager" if tf.executing_eagerly() else "graph"])}

    with pytest.raises(
        ExportError, match=r"'serving_default': output 'says' .* not the model's own"
    ):
        export.saved_model(Offers(serving_default=signature(fickle)), tmp_path / "base")
    assert not (tmp_path / "base").exists()


def test_a_signature_that_breaks_without_rows_is_not_published(tmp_path):
    def longest(text):
        return {"longest": tf.fill(tf.shape(text), text[tf.argmax(tf.strings.length(text))])}

    with pytest.raises(ExportError, match="does not load or run in a fresh process") as caught:
        export.saved_model(Offers(serving_default=signature(longest)), tmp_path / "base")
    assert "signature 'serving_default' failed on 0 rows: " in str(caught.value)
    assert not (tmp_path / "base").exists()


def test_a_table_that_is_no_attribute_of_the_model_is_told(tmp_path):
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
    model = Offers(serving_default=signature(lambda text: {"ids": table.lookup(text)}))
    with pytest.raises(ExportError, match="no attribute of the model"):
        export.saved_model(model, tmp_path / "base")
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize("how", ["tensorflow", "python"])
def test_a_full_disk_publishes_nothing(scorer, tmp_path, monkeypatch, how):
    def fill_up(model, folder, **_):
        (tmp_path / "base" / "started").write_text("")
        if how == "python":
            raise OSError(errno.ENOSPC, "No space left on device")
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", fill_up)
    with pytest.raises(OSError, match="No space left on device") as caught:
        export.saved_model(scorer, tmp_path / "base")
    assert caught.value.errno == errno.ENOSPC
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["started"]
