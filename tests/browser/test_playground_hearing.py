"""Recordings in the playground: chosen, decoded, spoken; what was heard, and what is told."""

import pytest
import tensorflow as tf

from tests.browser.running import playground
from tests.zoo.audio.recordings import notes, pcm

expect = pytest.importorskip("playwright.sync_api").expect

_AUDIO = [tf.TensorSpec([None], tf.string, name="audio_bytes")]
# A microphone that hums, for a browser without one.
_HUM = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const hum = context.createOscillator();
    const end = context.createMediaStreamDestination();
    hum.connect(end);
    hum.start();
    return end.stream;
  };
}"""


class Hearer(tf.Module):
    """Says how many samples a second a WAV has, and that its second frame weighs most."""

    @tf.function(input_signature=_AUDIO)
    def classify(self, audio_bytes):
        return {
            name: of
            for name, of in self.attend(audio_bytes).items()
            if name not in ("frames", "weights", "lengths")
        }

    @tf.function(input_signature=_AUDIO)
    def attend(self, audio_bytes):
        rows = tf.size(audio_bytes)
        check = tf.debugging.Assert(
            tf.reduce_all(tf.strings.length(audio_bytes) > 44), ["instances[0] is a WAV whose end"]
        )
        with tf.control_dependencies([check]):
            rate = tf.io.decode_raw(tf.strings.substr(audio_bytes, 24, 4), tf.int32)[:, 0]
        label = tf.as_string(rate)
        return {
            "label": label,
            "score": tf.fill([rows], 0.75),
            "probabilities": tf.tile([[0.75, 0.25]], [rows, 1]),
            "labels": tf.stack([label, tf.fill([rows], "other")], axis=1),
            "frames": tf.tile([[[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]], [rows, 1, 1]),
            "weights": tf.tile([[0.25, 0.5, 0.25]], [rows, 1]),
            "lengths": tf.fill([rows], 3),
        }


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    model, base = Hearer(), tmp_path_factory.mktemp("models")
    both = {"serving_default": model.classify, "attention": model.attend}
    tf.saved_model.save(model, str(base / "listens" / "1"), signatures=both)
    plain = {"serving_default": model.classify}
    tf.saved_model.save(model, str(base / "plain" / "1"), signatures=plain)
    with playground({name: base / name for name in ("listens", "plain")}) as address:
        yield address


def _label(page, text):
    expect(page.locator(".answer .label")).to_have_text(f"{text}75%")


def _choose(page, content, name="a.wav"):
    file = {"name": name, "mimeType": "audio/wav", "buffer": content}
    page.get_by_label("Recording", exact=True).set_input_files(file)


def test_the_example_is_heard_at_first_and_drawn(open_page):
    page = open_page("#model=listens")
    _label(page, "16000")
    name = "0.03 seconds; what came after 0.01 seconds weighed most"
    expect(page.get_by_role("img", name=name)).to_be_visible()
    expect(page.locator(".calls")).to_contain_text("base64 < example.wav")


def test_a_wav_is_sent_as_it_is(open_page):
    page = open_page("#model=listens")
    _label(page, "16000")
    _choose(page, pcm(notes(11_025), 11_025), "seven.wav")
    _label(page, "11025")
    expect(page.locator(".drop")).to_contain_text("seven.wav, 7 kB as sent")
    expect(page.locator(".calls")).to_contain_text("seven.wav")


def test_what_is_spoken_is_sent_as_wav(open_page):
    page = open_page("#model=plain", width=390)
    _label(page, "16000")
    page.evaluate(_HUM)
    page.get_by_role("button", name="Record", exact=True).press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(400)
    stop.press("Enter")
    expect(page.locator(".drop")).to_contain_text("recording.wav, 0.")
    _label(page, str(page.evaluate("new AudioContext().sampleRate")))
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(page)
    assert axe.violations_count == 0, axe.generate_report()


def test_what_is_no_sound_is_told(open_page):
    page = open_page("#model=listens")
    _label(page, "16000")
    _choose(page, b"no sound at all", "text.wav")
    told = "text.wav is no sound that this browser can read."
    expect(page.locator(".drop")).to_contain_text(told)
    page.locator("button.main").click()
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.get_by_label("Recording", exact=True)).to_be_focused()


def test_without_a_microphone_there_are_files(open_page):
    page = open_page("#model=plain")
    _label(page, "16000")
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("no", "NotAllowedError");
      };
    }""")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".drop")).to_contain_text("The microphone was not allowed.")


def test_what_the_server_refuses_is_shown(open_page):
    page = open_page("#model=listens", quiet=False)  # the browser tells of the 400
    _label(page, "16000")
    _choose(page, pcm([]))
    expect(page.get_by_role("alert")).to_contain_text("400")
    expect(page.get_by_role("alert")).to_contain_text("instances[0] is a WAV whose end")
