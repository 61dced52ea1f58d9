"""The captioners: pictures in every form, features or pictures, maps, bad input, files."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

import zoo
from tests.zoo.models.tiny_captioners import CAPTIONERS, captioner, scenes
from zoo.__main__ import main
from zoo.models import ShowAndTell, ShowAttendTell
from zoo.models.caption_column import caption_lists
from zoo.text.subwords import END_ID, UNK_ID

PICTURES, CAPTIONS = scenes()


@pytest.fixture(scope="module", params=CAPTIONERS, ids=lambda cls: cls.__name__)
def model(request):
    """A captioner that has learnt the scenes."""
    keras.utils.set_random_seed(1)
    if request.param is ShowAndTell:
        # The mean over all places of a random encoder tells little: more units, smaller steps.
        model, rate, times = captioner(ShowAndTell, units=48, embedding_units=24), 0.001, 160
    else:
        model, rate, times = captioner(ShowAttendTell), 0.01, 30
    model.optimizer.learning_rate = rate
    model.fit(PICTURES * 10, CAPTIONS * 10, batch_size=6, epochs=3 * times // 10, verbose=0)
    return model


@pytest.fixture(scope="module")
def attentive():
    keras.utils.set_random_seed(1)
    return captioner(ShowAttendTell)


def test_it_learns_from_pictures_with_several_captions_each(model):
    assert model.caption(PICTURES) != model.caption(PICTURES[::-1])
    for picture, (first, second) in zip(PICTURES, CAPTIONS, strict=True):
        said = model.caption(picture)
        wanted = [text.lower().rstrip(".!").replace(" 's", "'s") for text in (first, second)]
        assert said in wanted


def test_words_and_maps(model):
    answer = model.caption(PICTURES[0], return_attention=True)
    assert answer.text == model.caption(PICTURES[0])
    assert answer.text.replace("'s", " 's") == " ".join(answer.words)
    assert answer.score < 0
    if model.has_attention:
        assert answer.maps.shape == (len(answer.words), 2, 2)
        np.testing.assert_allclose(answer.maps.sum(axis=(1, 2)), 1, rtol=1e-5)
    else:
        assert answer.maps is None


def test_a_length_penalty_that_is_set_is_obeyed():
    keras.utils.set_random_seed(1)
    model, words = captioner(ShowAndTell), {}
    # The end is likely at each word, so that every length has a chance.
    model.readout.bias.assign(2.0 * tf.one_hot(END_ID, model.readout.bias.shape[0]))
    for power in (0.0, 5.0):
        model.length_penalty = power
        words[power] = len(model.caption(PICTURES[0]).split())
    assert words[0.0] < words[5.0]
    assert model.get_config()["length_penalty"] == 5.0
    with pytest.raises(ValueError, match=r"0 or more. Received: length_penalty=-1"):
        model.length_penalty = -1


def test_maps_are_of_rows_from_the_upper_left_corner(attentive):
    features = np.zeros([1, 4, 1280], np.float32)
    features[0, 1] = 1.0  # the upper right
    inputs = {"features": tf.constant(features)}
    attentive_to = attentive.search_encoded(inputs, 1).attention[0, 0, 0].numpy()
    attentive.make_inputs, kept = lambda source: inputs, attentive.make_inputs
    try:
        maps = attentive.best(tf.constant([b""]), 1)["maps"]
    finally:
        attentive.make_inputs = kept
    assert maps[0, 0, 0, 1] == attentive_to[1]
    assert len(set(np.round(attentive_to, 6))) == 2


def test_batch_mates_and_forms_change_nothing(model):
    together = model.caption(PICTURES, return_attention=True, batch_size=4)
    alone = [model.caption(picture, return_attention=True, batch_size=1) for picture in PICTURES]
    for one, other in zip(together, alone, strict=True):
        assert one.text == other.text
        assert one.score == pytest.approx(other.score, abs=1e-5)
    png = tf.io.encode_png(PICTURES[2]).numpy()
    assert model.caption(png) == model.caption(PICTURES[2]) == model.caption([png])[0]


def test_features_take_the_same_way(model):
    features = model.features(PICTURES)
    assert features.shape == (6, 4, 1280)
    np.testing.assert_allclose(model.features(PICTURES[3]), features[3], atol=1e-4)
    assert model.caption_features(features) == model.caption(PICTURES)
    assert len(model.caption_features(features.astype(np.float16), batch_size=4)) == 6


def test_signatures_give_what_the_verb_gives(model):
    signatures = model.signatures()
    contents = tf.constant([tf.io.encode_png(picture).numpy() for picture in PICTURES[:2]])
    expected = model.caption(PICTURES[:2])

    def texts(answer):
        return [text.decode() for text in answer["caption"].numpy()]

    assert texts(signatures["serving_default"].function(image_bytes=contents)) == expected
    features = tf.constant(model.features(PICTURES[:2]))
    assert texts(signatures["features"].function(features=features)) == expected
    beam = signatures["beam"].function(image_bytes=contents)
    assert beam["captions"].shape == beam["scores"].shape == (2, 5)
    assert ("attention" in signatures) == model.has_attention
    if model.has_attention:
        answer = signatures["attention"].function(image_bytes=contents)
        assert set(answer) == {"caption", "score", "words", "maps", "lengths"}
        assert answer["maps"].shape == (*answer["words"].shape, 2, 2)
        assert answer["lengths"].shape == (2,)
        empty = signatures["attention"].function(image_bytes=contents[:0])
        assert {len(value) for value in empty.values()} == {0}


def test_words_unknown_weigh_nothing_and_are_never_written(model):
    contents = tf.constant([tf.io.encode_png(PICTURES[0]).numpy()] * 2)
    texts = tf.constant(["A zebra bar.", "a red bar"])
    _, target, weights = model.preprocess(contents, texts)
    assert target[0, 1] == UNK_ID
    np.testing.assert_array_equal(weights, [[1, 0, 1, 1], [1, 1, 1, 1]])
    model.readout.bias.assign(tf.one_hot(UNK_ID, model.readout.bias.shape[0]) * 100.0)
    try:
        answers = model.caption(PICTURES, return_attention=True)
        greedy = model.caption(PICTURES, return_attention=True, beam_size=1)
    finally:
        model.readout.bias.assign(tf.zeros_like(model.readout.bias))
    assert not any("<unk>" in answer.words for answer in answers + greedy)


def test_many_unknown_words_are_told(attentive):
    captions = ["a zebra on the left", "a zebra and a red gnu"]
    with pytest.warns(UserWarning, match=r"36% of the words .* zebra, "):
        attentive.raw_columns(PICTURES[:2], captions)


def test_a_preset_holds_the_encoder(model, tmp_path):
    loaded = zoo.load(zoo.save(model, tmp_path / "preset", half=False))
    assert loaded.caption(PICTURES) == model.caption(PICTURES)
    half = zoo.load(zoo.save(model, tmp_path / "half"))
    assert half.get_config() == model.get_config()
    np.testing.assert_allclose(half.features(PICTURES), model.features(PICTURES), atol=0.05)


def test_the_encoder_is_left_alone_unless_asked(attentive, tmp_path):
    before = [weight.numpy() for weight in attentive.encoder.weights]
    attentive.fit(PICTURES, CAPTIONS, verbose=0)
    for weight, value in zip(attentive.encoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)

    folder = zoo.save(attentive, tmp_path / "preset", half=False)
    block = len(attentive.encoder.blocks) - 1
    trained = zoo.load(folder, trained_from=block)
    assert trained.caption(PICTURES) == attentive.caption(PICTURES)
    trained.fit(PICTURES, CAPTIONS, verbose=0)
    changed = [
        not np.array_equal(weight, value)
        for weight, value in zip(trained.encoder.weights, before, strict=True)
    ]
    last = [*trained.encoder.blocks[block:], trained.encoder.head]
    assert any(changed)
    of_last = {id(weight) for layer in last for weight in layer.weights}
    for weight, moved in zip(trained.encoder.weights, changed, strict=True):
        assert not moved or id(weight) in of_last


def test_data_sets_of_pictures_and_captions(attentive):
    contents = [tf.io.encode_png(picture).numpy() for picture in PICTURES]
    data = tf.data.Dataset.from_tensor_slices((contents, [first for first, _ in CAPTIONS]))
    assert np.isfinite(attentive.fit(data.batch(3), verbose=0).history["loss"]).all()
    blank = tf.data.Dataset.from_tensor_slices((contents[:2], ["a bar", " ... "])).batch(2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`captions` must have words"):
        attentive.fit(blank, verbose=0)


def test_fit_looks_at_each_picture_once(attentive, monkeypatch):
    looked = []
    look = attentive._look
    monkeypatch.setattr(attentive, "_look", lambda of: looked.append(len(of)) or look(of))
    attentive.fit(PICTURES, CAPTIONS, epochs=2, validation_split=0.5, verbose=0)
    assert looked == [3, 3]  # not 6 + 6 captions, in 2 epochs
    seen = attentive.evaluate(PICTURES, CAPTIONS, verbose=0, return_dict=True)
    monkeypatch.setattr("zoo.models.sees_pictures.MOST_BYTES", 10_000)
    as_they_come = attentive.evaluate(PICTURES, CAPTIONS, verbose=0, return_dict=True)
    assert seen["loss"] == pytest.approx(as_they_come["loss"], rel=1e-3)
    whole = tf.io.encode_jpeg(PICTURES[0]).numpy()
    with pytest.raises(ValueError, match=r"picture 1 of 2 is a JPEG"):
        attentive.fit([whole, whole[:300]], ["a bar", "a bar"], verbose=0)


def test_lists_and_pairs_weigh_the_same(attentive):
    flat = [caption for pair in CAPTIONS for caption in pair]
    repeated = [picture for picture in PICTURES for _ in range(2)]
    expected = attentive.evaluate(repeated, flat, verbose=0, return_dict=True)
    found = attentive.evaluate(PICTURES, CAPTIONS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("captions", "error", "message"),
    [
        (["a bar", []], ValueError, r"a caption for each picture. Received: captions\[1\]"),
        (["a bar", "..."], ValueError, r"`captions` must have words. Received: captions\[1\]="),
        ([["a bar", " "], "a bar"], ValueError, r"Received: captions\[0\]\[1\]="),
        (["a bar", 3], TypeError, r"strings, or lists of them. Received: captions\[1\]=3"),
        ([["a bar"], ["a", 3]], TypeError, r"captions\[1\]\[1\]=3"),
        ("a bar", TypeError, "must be a list of strings, or of lists of strings"),
        ([], ValueError, "must not be empty"),
        (["a bar"], ValueError, "one entry for each other. Received: 2 and 1"),
        (["a bar"] * 3, ValueError, "one entry for each other. Received: 2 and 3"),
        ([["a bar", "a bar"]], ValueError, "one entry for each other. Received: 2 and 1"),
    ],
)
def test_captions_that_cannot_be(attentive, captions, error, message):
    with pytest.raises(error, match=message):
        attentive.fit(PICTURES[:2], captions, verbose=0)


def test_pictures_that_cannot_be_are_named_by_their_place(attentive, tmp_path):
    whole = tf.io.encode_jpeg(PICTURES[0]).numpy()
    with pytest.raises(ValueError, match=r"`images\[2\]` is a JPEG.*1 of 3\)"):
        # The batch is in another order, by length.
        attentive.caption([whole, tf.io.encode_png(PICTURES[1]).numpy(), whole[:300]])
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    for wrong, error in ((text, ValueError), ("https://a.b/c.jpg", ValueError), (3, TypeError)):
        with pytest.raises(error, match=r"`images\[1\]"):
            attentive.caption([whole, wrong])


def test_captions_and_the_pictures_they_are_of():
    flat, rows = caption_lists("captions", ["a", ["b", b"c"], np.array(["d"])])
    assert flat == [b"a", b"b", b"c", b"d"]
    assert list(rows) == [0, 1, 1, 2]


def test_only_one_of_them_attends():
    assert (ShowAndTell.task, ShowAttendTell.task) == ("caption", "caption")
    model = captioner(ShowAndTell, encoder="googlenet")  # the lecture's
    assert not model.has_attention
    assert model.network_inputs["features"].shape.as_list() == [None, None, 1024]


def test_the_command_line_takes_paths_and_draws(model, tmp_path):
    paths = []
    for number, picture in enumerate(PICTURES[:2]):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(tf.io.encode_png(picture).numpy())
    entries = [str(path).encode() for path in paths]
    answers = model.console_answers(entries)
    captions = model.caption([str(path) for path in paths])
    assert [answer.line for answer in answers] == [
        f"{path}: {caption}" for path, caption in zip(paths, captions, strict=True)
    ]
    assert set(answers[0].row) == {"image", "caption", "score"}
    if not model.has_attention:
        with pytest.raises(ValueError, match="needs a model with attention"):
            model.console_answers(entries[:1], attention=tmp_path / "maps.png")
        return
    (alone,) = model.console_answers(entries[:1], attention=tmp_path / "maps.png")
    assert alone.line == captions[0]
    assert (tmp_path / "maps.png").read_bytes().startswith(b"\x89PNG")


def test_zoo_run_reads_files(model, tmp_path, monkeypatch):
    folder, path = zoo.save(model, tmp_path / "preset"), tmp_path / "photo.png"
    path.write_bytes(tf.io.encode_png(PICTURES[0]).numpy())
    monkeypatch.setattr(zoo, "load", lambda name: model)

    def run(*arguments):
        return CliRunner().invoke(main, ["run", *map(str, arguments)])

    result = run(folder, path, "--json")
    row = json.loads(result.stdout)
    assert (row["image"], row["caption"]) == (str(path), model.caption(PICTURES[0]))
    assert result.stderr == ""  # a file is what is expected
    assert run(folder, path).stdout == f"{row['caption']}\n"
    missing = run(folder, tmp_path / "no.png")
    assert missing.exit_code == 1
    assert "images[0]" in missing.output
    assert "which is not there" in missing.output
