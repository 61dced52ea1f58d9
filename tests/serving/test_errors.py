"""What becomes of TensorFlow's own errors on their way to a client."""

import pytest
import tensorflow as tf

from zoo.serving.errors import from_tensorflow


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        (
            "assertion failed: [`text` must be short.]\n"
            "\t [[{{function_node Assert_AssertGuard_false_1}}{{node Assert_AssertGuard/Assert}}]]",
            "`text` must be short.",
        ),
        (
            "assertion failed: [`texts` must be [a] or [b]. Received:] [c d]\n\t [[{{node a}}]]",
            "assertion failed: [`texts` must be [a] or [b]. Received:] [c d]",
        ),
        (
            "{{function_node __wrapped__F_device_/job:localhost}} {{function_node __f_1}} "
            "StringToNumberOp could not correctly convert string: x\n"
            "\t [[{{node StringToNumber}}]]\n\t [[PartitionedCall/_7]]",
            "StringToNumberOp could not correctly convert string: x",
        ),
        (
            "2 root error(s) found.\n"
            "  (0) INVALID_ARGUMENT: assertion failed: [`text` is long.]\n"
            "\t [[{{node Assert}}]]\n\t [[PartitionedCall/_7]]\n"
            "  (1) INVALID_ARGUMENT: assertion failed: [`text` is long.]\n"
            "\t [[{{node Assert}}]]\n0 successful operations.\n0 derived errors ignored.",
            "`text` is long.",
        ),
        (
            "Not a number\n\nOriginal stack trace for 'add':\n  File \"model.py\", line 1\n",
            "Not a number",
        ),
        # What a user wrote stays, whatever it looks like.
        ("no number: {{node x}} [[1, 2]]", "no number: {{node x}} [[1, 2]]"),
        ("no number: a\n\t [[b]] c\n\t [[{{node n}}]]", "no number: a\n\t [[b]] c"),
    ],
)
def test_a_message_without_tensorflows_names_of_nodes(message, plain):
    error = from_tensorflow(tf.errors.InvalidArgumentError(None, None, message))
    assert (error.code, error.message) == ("INVALID_ARGUMENT", plain)
