"""The lecture's own TF1 code, run as a script by `test_tf1_parity.py` (never imported by it).

Usage: `TF_USE_LEGACY_KERAS=1 python tf1_oracle.py inputs.npz results.npz`. It needs a process of
its own, because TF1's cells only run on the legacy Keras. The results hold, for each cell, what its
TF1 graph computes for the inputs: outputs, final state, and the gradient of a fixed loss with
respect to the inputs, the initial state and the weights.
"""

import sys

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
UNITS = 5


def lstm_stack():
    """The slide's stack, with one cell per layer where the slide multiplies the list."""
    cells = [
        tf1.nn.rnn_cell.DropoutWrapper(
            tf1.nn.rnn_cell.BasicLSTMCell(UNITS, forget_bias=forget_bias, state_is_tuple=True),
            output_keep_prob=1.0,
        )
        for forget_bias in (0.0, 1.0)
    ]
    return tf1.nn.rnn_cell.MultiRNNCell(cells, state_is_tuple=True)


CELLS = {
    "lstm": lstm_stack,
    "gru": lambda: tf1.nn.rnn_cell.GRUCell(UNITS),
    "rnn": lambda: tf1.nn.rnn_cell.BasicRNNCell(UNITS),
}


def run(name, given):
    graph = tf1.Graph()
    with graph.as_default(), tf1.Session(graph=graph) as session:
        tf1.set_random_seed(1)
        cell = CELLS[name]()
        inputs = tf.constant(given["inputs"])
        flat = [tf.constant(given[f"{name}/state{i}"]) for i in range(int(given[f"{name}/states"]))]
        initial = tf.nest.pack_sequence_as(cell.state_size, flat)
        outputs, state = tf1.nn.dynamic_rnn(
            cell, inputs, sequence_length=tf.constant(given["lengths"]), initial_state=initial
        )
        flat_state = tf.nest.flatten(state)
        loss = tf.reduce_sum(outputs * given["weights"])
        loss += tf.add_n([tf.reduce_sum(tf.sin(s) * (i + 1)) for i, s in enumerate(flat_state)])
        variables = tf1.trainable_variables()
        # TF1 starts biases at a constant; random ones make the comparison say more.
        for i, variable in enumerate(variables):
            random = np.random.default_rng(i)
            variable.load(random.uniform(-0.5, 0.5, variable.shape), session)
        wanted = {
            "outputs": outputs,
            **{f"state{i}": s for i, s in enumerate(flat_state)},
            "d_inputs": tf.gradients(loss, inputs)[0],
            **{f"d_state{i}": tf.gradients(loss, s)[0] for i, s in enumerate(flat)},
            **{f"weight{i}": v for i, v in enumerate(variables)},
            **{f"d_weight{i}": g for i, g in enumerate(tf.gradients(loss, variables))},
        }
        return {f"{name}/{key}": value for key, value in session.run(wanted).items()}


def dropout_statistics():
    """What TF1's dropout does to a cell that passes its input through."""

    class Identity(tf1.nn.rnn_cell.RNNCell):
        state_size = output_size = 2000

        def call(self, inputs, state):
            return inputs, state

    graph = tf1.Graph()
    with graph.as_default(), tf1.Session(graph=graph) as session:
        cell = tf1.nn.rnn_cell.DropoutWrapper(
            Identity(), input_keep_prob=0.8, output_keep_prob=0.5, state_keep_prob=0.9, seed=1
        )
        ones = tf.ones([2, 3, 2000])
        outputs, state = tf1.nn.dynamic_rnn(cell, ones, initial_state=tf.ones([2, 2000]))
        outputs, state = session.run([outputs, state])
        return {"dropout/outputs": outputs, "dropout/state": state}


if __name__ == "__main__":
    tf1.disable_v2_behavior()
    with np.load(sys.argv[1]) as stored:
        arrays = dict(stored)
    results = {}
    for cell_name in CELLS:
        results.update(run(cell_name, arrays))
    np.savez(sys.argv[2], **results, **dropout_statistics())
