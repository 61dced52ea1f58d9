"""Captions as words alone."""

import pytest
import tensorflow as tf

from zoo.text.captions import joined_words, plain_words


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog's T-shirt, in the snow.", "A dog 's T-shirt in the snow"),
        ("two men don't talk ; they walk .", "two men do n't talk they walk"),
        ("A man’s 2 dogs (both black)!", "A man 's 2 dogs both black"),
        ('" Stop ! "', "Stop"),
        (" ... - ' ", ""),
        ("", ""),
    ],
)
def test_marks_are_left_out(caption, words):
    assert plain_words(tf.constant([caption])).numpy()[0].decode() == words


def test_clitics_are_joined_again():
    words = tf.constant([["a dog 's ball", "they do n't 've it"], ["", "the dogs"]])
    expected = [[b"a dog's ball", b"they don't've it"], [b"", b"the dogs"]]
    assert joined_words(words).numpy().tolist() == expected
