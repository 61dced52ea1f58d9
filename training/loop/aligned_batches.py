"""Running text in aligned rows: each row of a batch goes on where that row of the last one ended.

Truncated back-propagation through time reads a text piece by piece and hands its state on. So a
batch holds the next `steps` words of each of `rows` places in the text, which are as far apart as
can be, and the order is a function of seed and epoch alone: a run goes on at any batch.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from zoo.text.vocabulary import PAD_ID


class AlignedText:
    """A text cut into rows of equal length.

    Every word is predicted once in an epoch, the first one after the end of a text. Those that
    are left over where the words cannot be shared out evenly, fewer than `rows`, are not read.

    Args:
        ids: Int32 `[words]`.
        rows: In a batch.
        steps: Words that a batch has of each row; the last one of an epoch may have fewer.
        seed: Of where epochs begin.
        rolled: Whether each epoch begins at another word and goes round, so that the text is not
            cut at the same words each time.

    Attributes:
        length: Words of a row.
        batches: In an epoch.

    Raises:
        ValueError: Fewer words than rows, or a number below 1.
    """

    def __init__(
        self, ids: np.ndarray, rows: int, steps: int, seed: int = 0, rolled: bool = False
    ) -> None:
        if not 1 <= rows <= len(ids) or steps < 1:
            raise ValueError(
                "`rows` and `steps` must be at least 1, and the text must have a word for each "
                f"row. Received: rows={rows}, steps={steps} and {len(ids)} words"
            )
        self.ids, self.rows, self.steps = np.asarray(ids, np.int32), rows, steps
        self.seed, self.rolled = seed, rolled
        self.length = len(ids) // rows
        self.batches = -(-self.length // steps)

    def epoch(self, number: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The batches of one epoch.

        Yields:
            `(tokens, targets, fresh)`: int32 `[rows, time]`, the word after each, likewise; and
            whether the state starts anew before a row, bool `[rows]`: true in the first batch.
        """
        ids = self.ids
        if self.rolled:
            ids = np.roll(ids, -np.random.default_rng([self.seed, number]).integers(len(ids)))
        targets = ids[: self.rows * self.length].reshape(self.rows, self.length)
        before = [[ids[-1] if self.rolled else PAD_ID], ids[: targets.size - 1]]
        tokens = np.concatenate(before).astype(np.int32).reshape(targets.shape)
        for start in range(0, self.length, self.steps):
            piece = slice(start, start + self.steps)
            yield tokens[:, piece], targets[:, piece], np.full(self.rows, start == 0)

    def dataset(self, epochs: Iterable[int]) -> tf.data.Dataset:
        """The batches of some epochs, one after the other, as `TruncatedBPTT.fit` takes them.

        Args:
            epochs: Their numbers; those left to do in a resumed run.

        Returns:
            A data set of `({"tokens", "fresh"}, targets)`.
        """

        def batches() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
            for number in epochs:
                for tokens, targets, fresh in self.epoch(number):
                    yield {"tokens": tokens, "fresh": fresh}, targets

        ids = tf.TensorSpec([self.rows, None], tf.int32)
        signature = ({"tokens": ids, "fresh": tf.TensorSpec([self.rows], tf.bool)}, ids)
        data = tf.data.Dataset.from_generator(batches, output_signature=signature)
        return data.prefetch(tf.data.AUTOTUNE)


def padded_rows(ids: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A text in rows for measuring: no word is left out, and each row knows the word before it.

    Args:
        ids: Int32 `[words]`.
        rows: How many; 1 is exact, more are faster: all but the first start without their past.

    Returns:
        `(tokens, targets, lengths)`: int32 `[rows, time]`, padded with 0, the word after each,
        likewise, and int32 `[rows]`. The first word of all stands after the end of a text.
    """
    time = -(-len(ids) // rows)
    targets, tokens = np.full((2, rows * time), PAD_ID, np.int32)
    targets[: len(ids)] = ids
    tokens[1 : len(ids)] = ids[:-1]
    lengths = np.clip(len(ids) - time * np.arange(rows), 0, time).astype(np.int32)
    return tokens.reshape(rows, time), targets.reshape(rows, time), lengths
