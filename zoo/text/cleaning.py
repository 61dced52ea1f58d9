"""Texts that look the same are read the same: what nobody sees is dropped, inside the graph.

Invisible characters are those that Unicode calls default ignorable (soft hyphen, zero-width space
and joiners, word joiner, byte order mark, marks of direction, variation selectors) and the marks
of interlinear annotation. They stay where they make a difference to the eye: in an emoji, and as
joiners behind a letter of a script that is written with them, such as Persian or Hindi.
"""

from collections.abc import Callable, Iterable

import tensorflow as tf
import tensorflow_text as tf_text

from zoo.text.pieces import split_pieces

# Unicode's Default_Ignorable_Code_Point, first and last of each range: what NFKC_Casefold drops.
IGNORABLE = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
_ANNOTATION = ((0xFFF9, 0xFFFB),)


def character_class(ranges: Iterable[tuple[int, int]], code: str) -> str:
    r"""Ranges of characters as a class of a regular expression.

    Args:
        ranges: First and last of each.
        code: How the language writes a character: `"\x{{{:X}}}"` for RE2.
    """
    return "".join(["[", *("-".join(map(code.format, pair)) for pair in ranges), "]"])


_RE2_CODE = r"\x{{{:X}}}"
INVISIBLE = character_class((*IGNORABLE, *_ANNOTATION), _RE2_CODE) + "+"

# What stays whole, whatever is invisible in it. An alternative is preferred to those after it.
_EMOJI_MARK = r"[\x{FE0E}\x{FE0F}\x{20E3}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]"
_EMOJI_ONE = rf"\p{{So}}{_EMOJI_MARK}*"
_EMOJI = rf"{_EMOJI_ONE}(?:\x{{200D}}{_EMOJI_ONE})*"
_KEYCAP = r"[0-9#*]\x{FE0F}\x{20E3}"
_JOINING_SCRIPTS = (
    *("Arabic", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Kannada", "Khmer", "Malayalam"),
    *("Mongolian", "Myanmar", "Nko", "Oriya", "Sinhala", "Syriac", "Tamil", "Telugu", "Tibetan"),
)
_JOINING = "".join(rf"\p{{{script}}}" for script in _JOINING_SCRIPTS)
_JOINED = rf"[{_JOINING}][\x{{200C}}\x{{200D}}]"
_PIECE = rf"({_EMOJI}|{_KEYCAP}|{_JOINED})|{INVISIBLE}"

# A mark that typographers use, and its twin on a keyboard.
_MARKS = {"'": "‘’‚‛′´ʼ‹›", '"': "“”„‟″«»〝〞", "-": "‐‑‒–—―−"}
_TWINS = sorted((ord(mark), ord(twin)) for twin, marks in _MARKS.items() for mark in marks)

LINE_END = r"[\t\n\v\f\r\x{85}\x{2028}\x{2029}]"
EVERYTHING = r"(?s:.*)"


def valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Each bad sequence of bytes becomes U+FFFD, as in `bytes.decode("utf-8", "replace")`."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")


def visible(texts: tf.Tensor) -> tf.Tensor:
    """Valid UTF-8, string of any shape, without its invisible characters."""
    return tf.strings.regex_replace(texts, _PIECE, r"\1")


def visible_with_places(
    texts: tf.Tensor,
) -> tuple[tf.Tensor, Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """As `visible`, with the way back to the characters of the original.

    Args:
        texts: String `[batch]`, valid UTF-8 without NUL.

    Returns:
        `(texts, original)`: string `[batch]`, and a function from the first characters and the
        ends (exclusive) of stretches of them to those in the original, int32 `[n]` each. Places
        are counted through all texts, as if they were one. A stretch covers the invisible
        characters within it, none before it and none behind.
    """
    pieces = split_pieces(texts, _PIECE, EVERYTHING)
    flat = pieces.flat_values
    hidden = tf.strings.regex_full_match(flat, INVISIBLE)
    lengths = tf.strings.length(flat, unit="UTF8_CHAR")
    shown_before = tf.cumsum(tf.where(hidden, 0, lengths), exclusive=True)
    # After how many visible characters something is hidden, and how much is by then.
    places = tf.concat([tf.boolean_mask(shown_before, hidden), [tf.int32.max]], 0)
    dropped = tf.concat([[0], tf.cumsum(tf.boolean_mask(lengths, hidden))], 0)

    def original(starts: tf.Tensor, ends: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        before = tf.searchsorted(places, starts, side="right")
        within = tf.searchsorted(places, ends, side="left")
        return starts + tf.gather(dropped, before), ends + tf.gather(dropped, within)

    shown = pieces.with_flat_values(tf.where(hidden, "", flat))
    return tf.strings.reduce_join(shown, axis=1), original


def plain_marks(texts: tf.Tensor) -> tf.Tensor:
    """Typographic quotes and dashes as those of a keyboard: string of any shape, valid UTF-8."""
    for twin, marks in _MARKS.items():
        texts = tf.strings.regex_replace(texts, f"[{marks}]", twin)
    return texts


def plain_mark_codes(codes: tf.Tensor) -> tf.Tensor:
    """As `plain_marks`, of single characters: int32 of any shape."""
    marks, twins = (tf.constant(of) for of in zip(*_TWINS, strict=True))
    places = tf.minimum(tf.searchsorted(marks, codes), len(_TWINS) - 1)
    return tf.where(tf.gather(marks, places) == codes, tf.gather(twins, places), codes)


def plain(texts: tf.Tensor) -> tf.Tensor:
    """A text as a reader takes it in: string of any shape and any bytes, the same as valid UTF-8.

    Invisible characters are gone, quotes and dashes are plain, and compatibility characters are
    what they stand for (NFKC). NUL, at which other operations end a text, becomes U+FFFD.
    """
    texts = tf.strings.regex_replace(valid_utf8(texts), r"\x00", "\ufffd")
    return tf_text.normalize_utf8(plain_marks(visible(texts)), "NFKC")
