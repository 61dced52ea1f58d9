"""Raw strings -> words with their places in the original, inside the graph (TF Text)."""

from typing import Any, NamedTuple

import tensorflow as tf

from zoo.graphs.traced_once import traced_once
from zoo.text.cleaning import EVERYTHING, valid_utf8, visible_with_places
from zoo.text.pieces import split_pieces

# The patterns are RE2's: linear in the text, and no look-ahead. An alternative is preferred to
# those after it, whatever their lengths.
_BREAK_TAG = r"(?i:<br\s*/?>)"
# A joiner is part of a word where a letter follows; elsewhere there is nothing to join.
_GAP = rf"(?:[\p{{Z}}\p{{Cc}}\x{{200C}}\x{{200D}}]|{_BREAK_TAG})+"
_LINE_END = rf"(?:\r?\n|{_BREAK_TAG})"
_PARAGRAPH_GAP = rf"(?s:.*(?:{_LINE_END}[\p{{Zs}}\t]*{_LINE_END}|\x{{2029}}).*)"

# Chinese and Japanese put no blanks between words: a character is a token. U+30FC and its like
# are the signs of sound that script properties leave out.
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\x{30FC}\x{FF70}\x{FF9E}\x{FF9F}"
# A class cannot be subtracted from another in RE2: letters, marks and digits are what is left.
_LETTER = rf"(?:[^\p{{Z}}\p{{P}}\p{{S}}\p{{C}}{_CJK}]|_)"
_LETTERS = rf"{_LETTER}+(?:['’&·\x{{200C}}\x{{200D}}\x{{AD}}]{_LETTER}+)*"
_NUMBER = rf"(?:No\.)?\.?\p{{Nd}}+(?:[.,:/]\p{{Nd}}+)*{_LETTER}*"
_TITLES = (
    r"(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Jr|Sr|Inc|Corp|Co|Ltd|Bros|"
    r"Calif|Fla|Jan|Feb|Aug|Sept|Sep|Oct|Nov|Dec|vs|etc)\."
)
# RE2's `\b` knows ASCII alone: after any other letter it would hold where the word goes on.
_ACRONYM = r"(?:[\p{Lu}\p{Ll}]\.)+[A-Za-z]\b\.?"  # "U.S.", "a.m.", "n.a"
_INITIAL = r"[A-HJ-Z]\."  # "I." ends a sentence more often than it starts a name
_PART = rf"(?:{_ACRONYM}|{_INITIAL}|{_TITLES}|{_NUMBER}|{_LETTERS})"
_WORD = rf"[+]?{_PART}(?:[-‐‑]{_PART})*"

# Each repetition that may fail after a long run is bounded, so that no text is read many times.
_LABEL = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL}){{0,3}}\.(?:com|org|net|edu|gov|info|io|ly|co|uk|de|fr|eu)\b"
_ADDRESS = r"(?i:https?://|ftp://|www\.)[^\p{Z}\p{C}<>\"]*[^\p{Z}\p{C}\p{Pe}\p{Pf}<>\"'.,:;!?*]"
_EMAIL = rf"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+){{0,5}}@{_LABEL}(?:\.{_LABEL}){{1,4}}"
_EMOJI_MARKS = r"[\p{M}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*"
_EMOJI_ONE = rf"\p{{So}}{_EMOJI_MARKS}"
_FLAG = rf"[\x{{1F1E6}}-\x{{1F1FF}}]{{2}}{_EMOJI_MARKS}"
_EMOJI = rf"{_FLAG}|{_EMOJI_ONE}(?:\x{{200D}}{_EMOJI_ONE})*|\*\x{{FE0F}}\x{{20E3}}"
_EMOTICON = r"[:;=](?:-[)(DPp/\\|]|'\(|[)(]+)|<3"
_CLITIC = r"['’](?i:s|m|d|re|ve|ll)\b"
_RUN = r"\.{2,}|-{2,}|\*+|=+|~+|``|''"
_CURRENCY = r"[A-Z]{1,3}\$"
_ANY = r"[^\p{Z}\p{Cc}]\p{M}*"

_TOKEN = "|".join(
    (
        *(_GAP, _ADDRESS, _EMAIL, _DOMAIN, rf"[@#]{_LETTER}+", _CURRENCY, _WORD),
        *(_EMOJI, _EMOTICON, _CLITIC, _RUN, rf"[{_CJK}]\p{{M}}*", _ANY),
    )
)
# "don't" -> "do", "n't" and "dog's" -> "dog", "'s": the end of a word, seen from the word alone.
_ENDING = r"(?i:n['’]t|['’](?:s|m|d|re|ve|ll))$"

_SENTENCE_END = r"[.!?…。！？]+"
_CLOSER = r"[\p{Pe}\p{Pf}\"']+"


class Words(NamedTuple):
    """The words of a batch of texts, all `[batch, (words)]`.

    Args:
        tokens: String, the words as they are written, without invisible characters.
        starts: Int32, the character (Unicode code point) of the text where the word starts.
        ends: Int32, the character after the word's last.
        paragraph_starts: Whether a paragraph starts with this word: true for the first
            word of a text and for a word after a blank line or two `<br />`.
        joined: Whether nothing that is seen stands between this word and the one before.
    """

    tokens: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor
    paragraph_starts: tf.RaggedTensor
    joined: tf.RaggedTensor


class WordTokenizer:
    """Splits texts into words, close to how CoNLL-2003 and the Penn Treebank split theirs.

    "U.S.", "3.5", "1996-08-22", "AL-AIN", "6-4" and "J." stay whole; quotes, brackets and marks
    stand alone; "don't" is "do" "n't" and "dog's" is "dog" "'s". Addresses of the web and of
    mail, @mentions and #tags stay whole, and so does an emoji with all that joins it. A Chinese
    or Japanese character is a token. `<br />` counts as white space, as does a control
    character.

    Offsets count the characters of the original, whatever it holds. Bytes that are no UTF-8
    become U+FFFD first, just as `bytes.decode("utf-8", "replace")` has it, so that for every
    word `text.decode("utf-8", "replace")[start:end]` is the token. Invisible characters (see
    `zoo.text.cleaning`) are not there for the splitting and not in the token, but the offsets of
    a word with a soft hyphen cover it. Time is linear in the text.

    The tokenizer has no state: only operations of TensorFlow and TF Text that TF Serving runs.

    Example:
        >>> words = WordTokenizer().tokenize(tf.constant(["Mr. Blair isn't in the U.S."]))
        >>> words.tokens
        <tf.RaggedTensor [[b'Mr.', b'Blair', b'is', b"n't", b'in', b'the', b'U.S.']]>
    """

    def tokenize(self, texts: tf.Tensor) -> Words:
        """Words of each text.

        Args:
            texts: `[batch]` string, of any bytes.

        Returns:
            A `Words`; a blank text has none, nor has one of nothing but invisible characters.
        """
        return _tokenize(texts)

    def sentences(self, words: Words, longest: int = 128) -> tf.RaggedTensor:
        """Where to cut texts into sentences, so that a long document becomes many short rows.

        A sentence ends after `. ! ? …` or a full-width twin of theirs, with the quotes and
        brackets that close behind it, unless the next word starts in lower case; it ends
        before a new paragraph. The dot of "Mr." or "J." belongs to the word and ends nothing.
        What is still longer than `longest` is cut there.

        Args:
            words: A `Words`.
            longest: The most words in a sentence, 1 or more.

        Returns:
            `[batch, (sentences)]` int32: the words of each sentence. Each row adds up to the
            words of its text; a text without words has no sentences. See `by_sentence`.
        """
        if longest < 1:
            raise ValueError(f"`longest` must be 1 or more. Received: longest={longest}")
        return _sentences(words, longest=longest)


@traced_once
def _tokenize(texts: tf.Tensor) -> Words:
    # The kernel takes a NUL for the end of the text; a blank is as wide, and a gap as well.
    texts = tf.strings.regex_replace(valid_utf8(texts), r"\x00", " ")
    shown, original = visible_with_places(texts)
    # Every piece is kept, gaps too, so that the lengths of the pieces add up to places. That a
    # piece alone matches as it did in the text is not sure: `\b` looks at what is around.
    pieces = split_pieces(split_pieces(shown, _TOKEN, EVERYTHING), _ENDING, EVERYTHING)
    flat, rows = pieces.flat_values, pieces.value_rowids()

    shown_ends = tf.cumsum(tf.strings.length(flat, unit="UTF8_CHAR"))
    starts, ends = original(_shifted(shown_ends, 0), shown_ends)
    row_starts = tf.cumsum(tf.strings.length(texts, unit="UTF8_CHAR"), exclusive=True)
    offset = tf.gather(row_starts, rows)

    paragraph_starts = _shifted(tf.strings.regex_full_match(flat, _PARAGRAPH_GAP), True)
    word = tf.logical_not(tf.strings.regex_full_match(flat, _GAP))
    kept = true_places(word)
    # Gaps are as long as they may be: two words with none between them are neighbours.
    joined = tf.gather(_shifted(word, False), kept)
    rows = tf.gather(rows, kept)
    first = rows != _shifted(rows, -1)
    paragraph_starts = tf.gather(paragraph_starts, kept) | first
    tokens = tf.RaggedTensor.from_value_rowids(
        tf.gather(flat, kept), rows, pieces.nrows(), validate=False
    )
    return Words(
        tokens,
        tokens.with_values(tf.gather(starts - offset, kept)),
        tokens.with_values(tf.gather(ends - offset, kept)),
        tokens.with_values(paragraph_starts),
        tokens.with_values(joined & ~first),
    )


@traced_once
def _sentences(words: Words, *, longest: int) -> tf.RaggedTensor:
    tokens = words.tokens.flat_values
    rows = words.tokens.value_rowids()
    # True for the first word of a row, so that no row sees another.
    paragraph_starts = words.paragraph_starts.flat_values
    joined = words.joined.flat_values
    # A straight quote that leans on the next word alone opens what comes.
    leans = tf.concat([joined, [False]], 0)[1:] & ~joined
    closer = tf.strings.regex_full_match(tokens, _CLOSER) & ~leans & ~paragraph_starts
    stop = tf.strings.regex_full_match(tokens, _SENTENCE_END)
    done = stop | (closer & _shifted(stop, False))
    done = done | (closer & _shifted(done, False))  # as in: He said "yes (or no?)".
    lower = tf.strings.regex_full_match(tokens, r"(?s:\p{Ll}.*)")
    goes_on = stop | closer | lower
    cut = paragraph_starts | (_shifted(done, False) & ~goes_on)

    places = tf.range(tf.size(tokens))
    first = tf.gather(true_places(cut), tf.cumsum(tf.cast(cut, tf.int32)) - 1)
    cut = (places - tf.cast(first, tf.int32)) % longest == 0
    cuts = true_places(cut)
    begins = tf.gather(places, cuts)
    lengths = tf.concat([begins[1:], [tf.size(tokens)]], 0)[: tf.size(begins)] - begins
    return tf.RaggedTensor.from_value_rowids(
        lengths, tf.gather(rows, cuts), words.tokens.nrows(), validate=False
    )


def true_places(mask: tf.Tensor) -> tf.Tensor:
    """Where a mask, bool `[n]`, is true: int64 `[kept]`, for `tf.gather`.

    `tf.boolean_mask` does the same in five times as many operations, which take time to trace.
    """
    return tf.squeeze(tf.where(mask), axis=1)


def by_sentence(values: tf.RaggedTensor, sentences: tf.RaggedTensor) -> tf.RaggedTensor:
    """Cuts a value of every word into one row a sentence.

    Args:
        values: `[batch, (words), ...]`, such as `words.tokens` or ids of words.
        sentences: What `WordTokenizer.sentences` gave.

    Returns:
        `[all sentences, (words), ...]` ragged, its rows at most `longest` long; take
        `.to_tensor()` and `.row_lengths()` for dense rows.
    """
    return tf.RaggedTensor.from_row_lengths(values.values, sentences.flat_values, validate=False)


def substrings(texts: tf.Tensor, rows: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """`texts[row][start:end]` in characters, string `[n]`; linear in the texts' length."""
    characters = tf.strings.unicode_decode(valid_utf8(texts), "UTF-8")
    offsets = tf.cast(tf.gather(characters.row_starts(), rows), tf.int32)
    places = tf.ragged.range(starts + offsets, ends + offsets)
    return tf.strings.unicode_encode(tf.gather(characters.flat_values, places), "UTF-8")


def _shifted(values: tf.Tensor, first: Any) -> tf.Tensor:
    """The value before each: `[n]` -> `[n]`, with `first` before the first."""
    return tf.concat([tf.cast([first], values.dtype), values], 0)[:-1]
