"""What the graph says of a file that it cannot read, told of the entry that the user gave."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

# What `zoo.pictures.header.check_faults` says: "instances[2] is a JPEG whose end ... (1 of 8)".
_FAULTS = re.compile(r"instances\[\d+\] .*\(\d+ of \d+\)", re.DOTALL)
_PLACE = re.compile(r"instances\[(\d+)\]")


class TellsFaults:
    """What a `ZooModel` has before it whose verb reads files; a mixin."""

    def answers(self, entries: object, run: Callable, *rest: Any) -> Any:
        """As `ZooModel.answers`; what the graph says of a file is told of the entry."""
        name = self.verb_column.name

        def told(batch: tf.Tensor, places: np.ndarray) -> Any:
            with told_of(lambda place: f"`{name}[{places[place]}]`"):
                return run(batch, places)

        return super().answers(entries, told, *rest)


@contextlib.contextmanager
def told_of(name: Callable[[int], str]) -> Iterator[None]:
    """Within the block, what the graph says of files is a ValueError.

    Args:
        name: From a file's place in its batch to what the user calls it.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = _FAULTS.search(error.message)
        if found is None:
            raise
        told = _PLACE.sub(lambda match: name(int(match[1])), found[0])
        raise ValueError(told) from None
