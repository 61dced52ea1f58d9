"""From which probability on a label is chosen: given by the user, or tuned for F1."""

import warnings

import numpy as np

from zoo.close_names import did_you_mean
from zoo.models.checks import short
from zoo.models.raw_rows import is_in_memory

DEFAULT = 0.5


class HasThresholds:
    """What a `ZooModel` with a `head` of labels has, if that is of several labels; a mixin."""

    @property
    def multi_label(self) -> bool:
        """Whether a text may have several labels, or none."""
        return self.head.thresholds is not None

    @property
    def thresholds(self) -> dict[str, float] | None:
        """The probability from which on each label is chosen; None if texts have one label.

        It is set by a dict, in which a label that is left out has 0.5, or a number for all, and is
        saved with the model. `classify`, the metrics and exports that follow obey it.
        """
        return self.head.thresholds

    @thresholds.setter
    def thresholds(self, thresholds: object) -> None:
        self._check_multi_label("thresholds")
        before = self.head.thresholds
        self.head.thresholds = thresholds
        self.configuration["thresholds"] = self.head.thresholds
        if self.head.thresholds != before:
            self.provenance.report = None  # it was of other answers

    def tune_thresholds(
        self, x: object, y: object = None, batch_size: int = 64, progress: bool = True
    ) -> dict[str, float]:
        """Sets each label's threshold to the one with the highest F1 on texts that you give.

        Give texts that the model was not trained on, and that you do not report figures of: F1 on
        the texts themselves is too good. Thresholds of rare labels are uncertain: a label should
        be in some dozens of the texts.

        Args:
            x: Texts, or a dict or data frame with the labels too, as of `fit`; not a data set.
            y: Their labels, as of `fit`.
            batch_size: Texts read together.
            progress: Show a bar on a terminal when it takes longer than two seconds.

        Returns:
            The thresholds. A label that none of the texts has, or all of them, keeps its own, and a
            warning names it.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: The model gives one label to a text; or a data set; or what `fit` refuses.

        Example:
            >>> model.tune_thresholds(dev_texts, dev_labels)
            {'cheap': 0.41, 'slow': 0.56}
        """
        self._check_multi_label("tune_thresholds")
        if not is_in_memory(x):
            raise ValueError(f"`x` must be lists, arrays or a data frame. Received: x={short(x)}")
        texts, given = self._raw_data().in_memory(x, y, None)[:2]
        given = self.head.targets(given).numpy() > 0
        answers = self.classify(texts, batch_size=batch_size, progress=progress)
        found = np.array([list(answer.probabilities.values()) for answer in answers])
        best = {
            label: best_threshold(*columns)
            for label, *columns in zip(self.labels, found.T, given.T, strict=True)
        }
        if kept := [label for label, threshold in best.items() if threshold is None]:
            warnings.warn(
                f"The thresholds of {', '.join(map(repr, kept))} stay as they are: none of the "
                "texts, or all of them, have these labels",
                stacklevel=2,
            )
        own = self.thresholds
        self.thresholds = {
            label: own[label] if threshold is None else threshold
            for label, threshold in best.items()
        }
        return self.thresholds

    def _check_multi_label(self, what: str) -> None:
        if not self.multi_label:
            raise ValueError(
                f"`{what}` is for models of several labels: "
                "zoo.load(name, labels=[...], multi_label=True). Received: multi_label=False"
            )


def checked_thresholds(labels: list[str], thresholds: object) -> dict[str, float]:
    """The threshold of every label, in their order.

    Args:
        labels: The names of the classes.
        thresholds: A dict by label, in which a label that is left out has 0.5; a number for all;
            or None, 0.5 for all.

    Raises:
        TypeError: It is something else.
        ValueError: A label that the model lacks, or a threshold outside [0, 1].
    """
    if thresholds is None:
        thresholds = {}
    elif _is_number(thresholds):
        thresholds = dict.fromkeys(labels, thresholds)
    if not isinstance(thresholds, dict):
        raise TypeError(
            "`thresholds` must be a dict from labels to probabilities, or one for all. "
            f"Received: thresholds={thresholds!r}"
        )
    for label, threshold in thresholds.items():
        if label not in labels:
            hint = did_you_mean(label, labels, 2, cutoff=0.6)
            raise ValueError(
                f"`thresholds` must name entries of {labels}. Received: {label!r}. {hint}".rstrip()
            )
        if not _is_number(threshold) or not 0 <= threshold <= 1:
            raise ValueError(
                "`thresholds` must be probabilities, from 0 to 1. "
                f"Received: thresholds[{label!r}]={threshold!r}"
            )
    return {label: float(thresholds.get(label, DEFAULT)) for label in labels}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def best_threshold(probabilities: np.ndarray, given: np.ndarray) -> float | None:
    """The threshold with the highest F1 on some texts; of several the one nearest to 0.5.

    A threshold is halfway between two probabilities, since F1 changes only at one of them (Lipton
    et al. 2014, arXiv:1402.1892).

    Args:
        probabilities: Of one label, float `[rows]`.
        given: Whether each row has it, bool `[rows]`.

    Returns:
        The threshold; None if no row has the label, or all have it: nothing can be told apart.
    """
    if not given.any() or given.all():
        return None
    order = np.argsort(-probabilities, kind="stable")
    probabilities, given = probabilities[order].astype(np.float64), given[order]
    # If the first n rows are chosen: F1 = 2 right / (n + rows that have the label).
    count = np.arange(1, len(given) + 1)
    scores = 2 * np.cumsum(given) / (count + given.sum())
    behind = np.append(probabilities[1:], -1.0)
    scores[probabilities == behind] = -1  # rows of the same probability stay together
    thresholds = (probabilities + np.maximum(behind, 0.0)) / 2
    best = np.flatnonzero(scores == scores.max())
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - DEFAULT))]])
