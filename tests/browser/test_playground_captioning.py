"""Pictures in the playground: chosen, dropped, pasted, scaled; and maps of a caption's words."""

import base64
import io

import pytest
import tensorflow as tf

from tests.browser.running import playground

expect = pytest.importorskip("playwright.sync_api").expect
Image = pytest.importorskip("PIL.Image")

_PICTURES = [tf.TensorSpec([None], tf.string, name="image_bytes")]


class Looker(tf.Module):
    """Says how large a picture is; its first word looks at the upper left, its last right."""

    @tf.function(input_signature=_PICTURES)
    def best(self, image_bytes):
        return {name: self.attend(image_bytes)[name] for name in ("caption", "score")}

    @tf.function(input_signature=_PICTURES)
    def beam(self, image_bytes):
        caption = self.best(image_bytes)["caption"]
        captions = tf.stack([caption, tf.fill(tf.shape(caption), "a dog")], axis=1)
        return {"captions": captions, "scores": tf.tile([[-0.25, -2.0]], [tf.size(caption), 1])}

    @tf.function(input_signature=_PICTURES)
    def attend(self, image_bytes):
        def size(content):
            picture = tf.io.decode_image(content, channels=3, expand_animations=False)
            return tf.as_string(tf.shape(picture)[1::-1])

        sizes = tf.map_fn(size, image_bytes, fn_output_signature=tf.TensorSpec([2], tf.string))
        rows = tf.size(image_bytes)
        maps = [[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.6], [0.0, 0.4]]]
        return {
            "caption": tf.strings.reduce_join(sizes, axis=1, separator=" by "),
            "score": tf.fill([rows], -0.25),
            "words": sizes,
            "lengths": tf.fill([rows], 2),
            "maps": tf.tile([maps], [rows, 1, 1, 1]),
        }


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    looker, base = Looker(), tmp_path_factory.mktemp("models") / "looker"
    signatures = {"serving_default": looker.best, "beam": looker.beam, "attention": looker.attend}
    tf.saved_model.save(looker, str(base / "1"), signatures=signatures)
    with playground({"looker": base}) as address:
        yield address


def _content(width, height, kind="PNG", mode="RGB", colour="red"):
    buffer = io.BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def _choose(page, content, name="photo.png", kind="image/png"):
    page.get_by_label("Picture", exact=True).set_input_files(
        {"name": name, "mimeType": kind, "buffer": content}
    )


def _caption(page):
    return page.locator(".results .translation")


def _pixel(page, x, y):
    """Of the answer's picture, by shares of its sides."""
    return page.locator(".answer canvas").evaluate(
        """(canvas, [x, y]) => {
             const copy = new OffscreenCanvas(canvas.width, canvas.height);
             const context = copy.getContext("2d", {willReadFrequently: true});
             context.drawImage(canvas, 0, 0);
             return [...context.getImageData(
               Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data];
           }""",
        [x, y],
    )


def test_the_example_is_captioned_at_first(open_page):
    page = open_page("#model=looker")
    expect(_caption(page)).to_have_text("320 by 320")
    expect(page.locator(".results")).to_contain_text("Score −0.250")
    beam = page.get_by_role("table", name="Hypotheses")
    assert beam.locator("tbody tr").nth(1).inner_text() == "2\ta dog\t−2.000"


def test_a_small_file_is_sent_as_it_is_and_a_large_one_is_scaled(open_page):
    page = open_page("#model=looker")
    _choose(page, _content(60, 40))
    expect(_caption(page)).to_have_text("60 by 40")
    _choose(page, _content(3000, 1500, "JPEG"), "photo.jpg", "image/jpeg")
    expect(_caption(page)).to_have_text("1024 by 512")
    # A kind that servers do not read is drawn anew.
    _choose(page, _content(50, 30, "WEBP"), "photo.webp", "image/webp")
    expect(_caption(page)).to_have_text("50 by 30")


def test_what_is_dropped_or_pasted_is_taken(open_page):
    page = open_page("#model=looker")
    expect(_caption(page)).to_have_text("320 by 320")
    for event, target in (("drop", ".drop"), ("paste", "body")):
        width = 44 if event == "drop" else 55
        page.evaluate(
            """([event, target, base64]) => {
                 const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
                 const data = new DataTransfer();
                 data.items.add(new File([bytes], "a.png", {type: "image/png"}));
                 const told = event === "drop"
                   ? new DragEvent(event, {dataTransfer: data, bubbles: true, cancelable: true})
                   : new ClipboardEvent(event, {clipboardData: data, bubbles: true});
                 document.querySelector(target).dispatchEvent(told);
               }""",
            [event, target, base64.b64encode(_content(width, 20)).decode()],
        )
        expect(_caption(page)).to_have_text(f"{width} by 20")


def test_what_is_no_picture_is_refused_in_words(open_page):
    page = open_page("#model=looker")
    _choose(page, b"no picture", "text.png")
    expect(page.locator(".drop")).to_contain_text("text.png is no picture")
    page.locator("button.main").click()
    expect(page.get_by_role("alert")).to_contain_text("text.png is no picture")
    page.get_by_role("button", name="A drawn dog").click()
    expect(_caption(page)).to_have_text("320 by 320")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_word_shows_where_the_model_looked_by_pointer_and_keys(open_page):
    page = open_page("#model=looker", width=390)
    _choose(page, _content(60, 40))
    words = page.get_by_role("toolbar", name="Words of the caption")
    expect(words.get_by_role("button")).to_have_text(["60", "40"])
    assert _pixel(page, 0.1, 0.1)[:3] == [255, 0, 0]
    words.get_by_role("button", name="60").hover()
    expect(page.locator(".readout")).to_contain_text("“60”: it looked most at the upper left, 100%")
    bright, dark = _pixel(page, 0.1, 0.1)[0], _pixel(page, 0.9, 0.9)[0]
    assert bright > 240
    assert dark < 80
    words.get_by_role("button", name="60").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".readout")).to_contain_text("upper right, 60%")
    assert _pixel(page, 0.1, 0.1)[0] < 80 < _pixel(page, 0.9, 0.1)[0]
    wider = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wider


def test_the_commands_read_the_file_and_not_a_wall_of_base64(open_page):
    page = open_page("#model=looker")
    _choose(page, _content(60, 40), "my photo.png")
    expect(_caption(page)).to_have_text("60 by 40")
    command = page.locator(".command pre").first.inner_text()
    assert "base64 < 'my photo.png'" in command
    script = page.locator(".script pre").inner_text()
    assert 'open("my photo.png", "rb")' in script
    assert '{"b64": content}' in script
    assert len(command) + len(script) < 1500
