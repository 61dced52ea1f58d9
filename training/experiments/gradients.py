"""The lecture's pictures of gradients through time, measured: they vanish, explode, or flow."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.drawing.plotting import save_figure
from zoo.files import write_atomically
from zoo.layers import BasicRNNCell
from zoo.models.gradient_norms import GradientNorms
from zoo.training.evaluation.base import markdown_table
from zoo.training.experiments.sequence_tasks import CELLS, TASKS, Batch, LastOutput, batches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULT = "gradients.json"
ROWS = 32
UNITS = 64
FLOW_LENGTH = 60  # of the sequences whose gradients are followed back
LENGTHS = (25, 50, 100, 200, 400, 750)
STEPS = 2000
EXPLOSION_STEPS = 60


def error_flow(model: LastOutput, batch: Batch) -> np.ndarray:
    """How much of the last step's error arrives at the states before.

    Args:
        model: A cell of any kind in its network.
        batch: Sequences of `T` steps.

    Returns:
        The norm of `dE_T / d state_{T-d}` for each distance `d` from 0, float `[T + 1]`: of all
        states of the cell together, the mean over the rows.
    """
    cell = model.rnn.cell
    states = cell.get_initial_state(batch_size=len(batch.inputs))
    with tf.GradientTape() as tape:
        tape.watch(tf.nest.flatten(states))
        kept = [tf.nest.flatten(states)]
        for inputs in np.moveaxis(batch.inputs, 1, 0):
            _, states = cell(tf.constant(inputs), states)
            # A memory makes the output beside it: what goes on in time is a copy of each.
            states = tf.nest.map_structure(tf.identity, states)
            kept.append(tf.nest.flatten(states))
        said = model.dense(kept[-1][0])
        # Rows do not meet: the gradient of the sum is that of each.
        error = model.loss(batch.targets, said) * len(batch.targets)
    norms = []
    for gradients in reversed(tape.gradient(error, kept)):
        parts = [tf.reduce_sum(tf.square(of), axis=1) for of in gradients if of is not None]
        norms.append(float(tf.reduce_mean(tf.sqrt(tf.add_n(parts)))))
    return np.array(norms)


def pascanu_bound(cell: BasicRNNCell, flow: np.ndarray) -> np.ndarray:
    """What the flow of a plain cell cannot be above: `eta^d` of what it starts with.

    Pascanu, Mikolov and Bengio (2013), arXiv:1211.5063: `eta` is the largest singular value of the
    recurrent matrix times the largest slope of tanh, which is 1.

    Args:
        cell: A plain cell.
        flow: Of it, as `error_flow` gives it.
    """
    eta = np.linalg.norm(cell.recurrent_kernel.numpy(), ord=2)
    return flow[0] * eta ** np.arange(len(flow))


class Explosion(keras.callbacks.Callback):
    """The loss and the gradient's norm of each step.

    Args:
        measure: What measures the norms.
    """

    def __init__(self, measure: GradientNorms) -> None:
        super().__init__()
        self.measure, self.norms, self.losses = measure, [], []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes them; a loss in Keras's logs is the mean so far."""
        total = logs["loss"] * (batch + 1)
        self.losses.append(float(total - sum(self.losses)))
        self.norms.append(self.measure.last["all"])


def explosion(clip_norm: float | None) -> dict[str, list[float]]:
    """A plain cell whose recurrent matrix is too large, trained by plain gradient descent.

    Args:
        clip_norm: The norm that gradients are cut to; None: they are not.

    Returns:
        The `losses` and the gradient's `norms` (before they are cut) of each step.
    """
    keras.utils.set_random_seed(1)
    cell = CELLS["RNN, eta 1.6"](UNITS)
    model = LastOutput(cell, "adding", clip_norm, learning_rate=0.05, plain=True)
    measure = GradientNorms()
    noted = Explosion(measure)
    data = batches("adding", FLOW_LENGTH, ROWS, seed=1)
    told = {"verbose": 0, "callbacks": [measure, noted]}
    model.fit(data, steps_per_epoch=EXPLOSION_STEPS, shuffle=False, **told)
    return {"losses": noted.losses, "norms": noted.norms}


def trained(make: Callable[[int], keras.layers.Layer], task: str, length: int, steps: int) -> Any:
    """A network with a cell of this kind that has learnt a task.

    Args:
        make: One of `CELLS`.
        task: One of `TASKS`.
        length: Of the sequences.
        steps: Batches; 0: it has learnt nothing.
    """
    keras.utils.set_random_seed(1)
    model = LastOutput(make(UNITS), task)
    if steps:
        data = batches(task, length, ROWS, seed=1)
        model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


def gradient_laboratory(
    out: str | Path,
    steps: int = STEPS,
    lengths: Sequence[int] = LENGTHS,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Measures all three pictures; what is measured already is not measured again.

    Args:
        out: A folder for the result, `gradients.json`.
        steps: Batches that a cell learns each task in.
        lengths: Of the adding task, at which cells are compared.
        tell: Called with what is measured next.

    Returns:
        Plain values: `flow` by task, by cell, at the `start` and `trained`; `bound` by task;
        `explosion` with and without clipping; `adding`, the share of right sums by cell and length.

    Raises:
        OSError: `out` cannot be written to.
        ValueError: `out` holds a measurement of other `steps`.
    """
    path = Path(out) / RESULT
    path.parent.mkdir(parents=True, exist_ok=True)
    result = json.loads(path.read_text()) if path.is_file() else {"steps": steps}
    if result["steps"] != steps:
        raise ValueError(
            f"`out` holds a measurement with steps={result['steps']}. Choose another folder, or "
            f"delete this one. Received: steps={steps}, out={str(out)!r}"
        )

    def measured(keys: Sequence[str], measure: Callable[[], Any]) -> None:
        of = result
        for key in keys[:-1]:
            of = of.setdefault(key, {})
        if keys[-1] not in of:
            tell(" / ".join(keys))
            of[keys[-1]] = measure()
            write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())

    for clip_norm in (None, 1.0):
        name = "as they are" if clip_norm is None else "clipped"
        measured(("explosion", name), lambda clip_norm=clip_norm: explosion(clip_norm))
    for task, draw in TASKS.items():
        batch = draw(np.random.default_rng(7), ROWS, FLOW_LENGTH)
        for name, make in CELLS.items():
            for when, count in (("start", 0), ("trained", steps)):

                def flow(
                    task: str = task,
                    make: Callable = make,
                    count: int = count,
                    batch: Batch = batch,
                ) -> dict[str, list[float]]:
                    model = trained(make, task, FLOW_LENGTH, count)
                    norms = error_flow(model, batch)
                    cell, plain = model.rnn.cell, isinstance(model.rnn.cell, BasicRNNCell)
                    bound = {"bound": pascanu_bound(cell, norms).tolist()} if plain else {}
                    return {"norms": norms.tolist(), **bound}

                measured(("flow", task, name, when), flow)
    for length in lengths:
        batch = TASKS["adding"](np.random.default_rng(8), 512, length)
        for name, make in CELLS.items():

            def share(make: Callable = make, length: int = length, batch: Batch = batch) -> float:
                return trained(make, "adding", length, steps).right(batch)

            measured(("adding", name, str(length)), share)
    return result


def laboratory_table(result: dict[str, Any]) -> str:
    """How much of the error arrives far back, and what each cell can add; Markdown."""
    lengths = list(next(iter(result["adding"].values()), {}))
    header = ["cell", "arrives, at the start", "trained", *(f"adds {n}" for n in lengths)]
    rows = []
    for name in CELLS:
        of = result["flow"]["adding"][name]
        arrives = [f"{_share(of[when]['norms']):.0e}" for when in ("start", "trained")]
        shares = [f"{100 * share:.0f} %" for share in result["adding"].get(name, {}).values()]
        rows.append([name, *arrives, *shares])
    return markdown_table(header, rows)


def _share(norms: Sequence[float]) -> float:
    """Of the error at the last step, what arrives at the first."""
    return norms[-1] / norms[0] if norms[0] else 0.0


def plot_laboratory(result: dict[str, Any], path: str | Path) -> "Figure":
    """Draws the slides' pictures: vanishing, explosion and clipping, and what it means.

    Args:
        result: What `gradient_laboratory` gave.
        path: Where to write the figure: `.png`, `.svg` or `.pdf`.

    Returns:
        The `matplotlib.figure.Figure`.

    Raises:
        ValueError: Another suffix.
        OSError: `path` cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.5), dpi=110, layout="constrained")
    (start, after, adds), (losses, norms, copies) = figure.subplots(2, 3)
    for axes, task, when in (
        (start, "adding", "start"),
        (after, "adding", "trained"),
        (copies, "copying", "trained"),
    ):
        _draw_flow(axes, result["flow"][task], f"{task} task, {when}", when)
    for name, of in result["explosion"].items():
        losses.plot(of["losses"], label=name)
        norms.plot(of["norms"], label=name)
    for axes, what in ((losses, "loss"), (norms, "norm of the gradient, before it is cut")):
        axes.set(yscale="log", xlabel="step", ylabel=what)
        axes.set_title("a plain cell whose matrix is too large", fontsize=10)
        axes.legend()
    for name, shares in result["adding"].items():
        values = [100 * share for share in shares.values()]
        adds.plot([int(n) for n in shares], values, marker="o", label=name)
    adds.set(xlabel="length", ylabel="sums that are right, percent", ylim=(0, 103))
    adds.set_title(f"adding task after {result['steps']:,} batches", fontsize=10)
    adds.legend(fontsize=7)
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    save_figure(figure, path)
    return figure


def _draw_flow(axes: "Axes", flows: dict[str, Any], title: str, when: str) -> None:
    for name, of in flows.items():
        (line,) = axes.plot(of[when]["norms"], label=name)
        if "bound" in of[when]:
            style = {"linestyle": ":", "color": line.get_color()}
            axes.plot(of[when]["bound"], label="Pascanu's bound", **style)
    axes.set(yscale="log", xlabel="steps back", ylabel="norm of the gradient of the state")
    axes.set_title(title, fontsize=10)
    axes.legend(fontsize=7)
