import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.zoo.decoding.toy_model import (
    END,
    PAD,
    START,
    ToyModel,
    assert_row_alone_is_the_same,
    check_bookkeeping,
    emitted,
)
from zoo.decoding import beam_search, greedy

SEEDS = st.integers(0, 2**32 - 1)
PENALTIES = st.sampled_from([0.0, 0.6, 1.0, 1.5])
FORBIDDEN = st.sampled_from([0.0, 0.4])
IDS = {"start_id": START, "end_id": END, "pad_id": PAD}


def table_step(table):
    """A Markov chain without attention: the logits are a row of `table`."""
    table = tf.constant(table, tf.float32)
    return lambda state, ids: (tf.gather(table, ids), state, None)


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    vocabulary=st.integers(2, 4),
    limits=st.lists(st.integers(1, 3), min_size=1, max_size=2),
    length_penalty=PENALTIES,
    forbidden=FORBIDDEN,
)
def test_a_beam_that_holds_everything_equals_exhaustive_search(
    seed, vocabulary, limits, length_penalty, forbidden
):
    model = ToyModel(vocabulary, seed, forbidden)
    state = model.initial_state(len(limits), seed)
    beam_size = vocabulary ** max(limits)
    found = beam_search(
        model.step,
        state,
        len(limits),
        max_lengths=limits,
        beam_size=beam_size,
        length_penalty=length_penalty,
        **IDS,
    )
    check_bookkeeping(model, found, state, limits, length_penalty)
    for row, limit in enumerate(limits):
        expected = model.all_hypotheses(state[row], limit, length_penalty)
        scores = found.scores[row, : len(expected)]
        np.testing.assert_allclose(scores, [score for score, _ in expected], rtol=1e-4, atol=1e-5)
        ranked = [emitted(found, row, rank, limit) for rank in range(len(expected))]
        assert sorted(ranked) == sorted(tokens for _, tokens in expected)
        assert np.all(found.scores[row, len(expected) :] == -np.inf)


def reference_beam_search(model, state, limit, beam_size, length_penalty):
    """The documented search for one row, hypothesis by hypothesis: [tokens], best first.

    Skips an example in which rounding could decide: two neighbouring candidates are almost equal.
    """
    beam = [(0.0, 0.0, (), state)]
    for time in range(limit):
        candidates = []
        for score, log_prob, tokens, state in beam:
            if tokens[-1:] == (END,):
                candidates.append((score, log_prob, tokens, state))
                continue
            step_log_probs, new_state, _ = model.step_numpy(state, (START, *tokens)[-1])
            for token, gain in enumerate(step_log_probs):
                if gain > -np.inf:
                    total = log_prob + gain
                    score = total / (time + 1) ** length_penalty
                    candidates.append((score, total, (*tokens, token), new_state))
        candidates.sort(key=lambda candidate: -candidate[0])
        scores = [score for score, *_ in candidates[: beam_size + 1]]
        assume(np.all(np.diff(scores) < -1e-4))
        beam = candidates[:beam_size]
    return [tokens for _, _, tokens, _ in beam]


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    vocabulary=st.integers(2, 6),
    limits=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    beam_size=st.integers(1, 7),
    length_penalty=PENALTIES,
    forbidden=FORBIDDEN,
)
def test_pruned_search_does_what_the_docstring_says(
    seed, vocabulary, limits, beam_size, length_penalty, forbidden
):
    model = ToyModel(vocabulary, seed, forbidden)
    state = model.initial_state(len(limits), seed)
    found = beam_search(
        model.step,
        state,
        len(limits),
        max_lengths=limits,
        beam_size=beam_size,
        length_penalty=length_penalty,
        **IDS,
    )
    check_bookkeeping(model, found, state, limits, length_penalty)
    assert np.all(np.diff(np.maximum(found.scores, -1e30), axis=-1) <= 0)
    for row, limit in enumerate(limits):
        expected = reference_beam_search(model, state[row], limit, beam_size, length_penalty)
        real = np.count_nonzero(found.scores[row] > -np.inf)
        ranked = [emitted(found, row, rank, limit) for rank in range(real)]
        assert ranked == expected
        assert len(set(ranked)) == real


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    limits=st.lists(st.integers(1, 8), min_size=2, max_size=5),
    beam_size=st.integers(1, 4),
    data=st.data(),
)
def test_a_row_does_not_depend_on_its_batch_mates(seed, limits, beam_size, data):
    model = ToyModel(5, seed)

    def decode(state, limits):
        return beam_search(
            model.step, state, len(limits), max_lengths=limits, beam_size=beam_size, **IDS
        )

    row = data.draw(st.integers(0, len(limits) - 1))
    assert_row_alone_is_the_same(decode, model.initial_state(len(limits), seed), limits, row)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, batch=st.integers(1, 4), limit=st.integers(1, 8), forbidden=FORBIDDEN)
def test_a_beam_of_one_equals_greedy(seed, batch, limit, forbidden):
    model = ToyModel(6, seed, forbidden)
    state = model.initial_state(batch, seed)
    one = beam_search(model.step, state, batch, max_lengths=limit, beam_size=1, **IDS)
    best = greedy(model.step, state, batch, max_lengths=limit, **IDS)
    for field, expected in zip(one, best, strict=True):
        np.testing.assert_allclose(field, expected, rtol=1e-5)


def test_a_finished_hypothesis_is_frozen():
    # "END" at once has probability .4; the only other way is token 2 (.6), then a long even split.
    probabilities = np.full((4, 4), 0.0)
    probabilities[START] = [0, 0.4, 0.6, 0]
    probabilities[2] = probabilities[3] = [0, 0.02, 0.49, 0.49]
    with np.errstate(divide="ignore"):
        step = table_step(np.log(probabilities))
    found = beam_search(step, (), 1, max_lengths=6, beam_size=2, length_penalty=0.0, **IDS)
    np.testing.assert_array_equal(found.lengths, [[0, 6]])
    np.testing.assert_allclose(
        found.log_probs, [[np.log(0.4), np.log(0.6) + 5 * np.log(0.49)]], rtol=1e-5
    )


@pytest.mark.parametrize(("length_penalty", "best"), [(0.0, []), (1.0, [2, 2])])
def test_the_length_penalty_decides_between_short_and_long(length_penalty, best):
    table = np.full((3, 3), -np.inf)
    table[START, [END, 2]] = np.log([0.5, 0.5])
    table[2, [END, 2]] = np.log([0.4, 0.6])
    found = beam_search(
        table_step(table), (), 1, max_lengths=2, beam_size=4, length_penalty=length_penalty, **IDS
    )
    np.testing.assert_array_equal(found.ids[0, 0, : len(best)], best)
    assert found.lengths[0, 0] == len(best)


def test_equals_rank_by_hypothesis_and_then_by_lowest_id():
    found = beam_search(
        table_step(np.zeros((4, 4))), (), 1, start_id=0, end_id=-1, max_lengths=2, beam_size=6
    )
    np.testing.assert_array_equal(found.ids[0], [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1]])


def test_a_beam_larger_than_the_number_of_hypotheses_is_filled_with_impossible_ones():
    found = beam_search(table_step(np.zeros((3, 3))), (), 2, max_lengths=1, beam_size=5, **IDS)
    np.testing.assert_allclose(found.scores[:, :3], np.log(1 / 3), rtol=1e-6)
    assert np.all(found.scores[:, 3:] == -np.inf)
    np.testing.assert_array_equal(found.ids[0], [[0], [PAD], [2], [PAD], [PAD]])
    assert found.attention is None


def test_the_vocabulary_may_have_a_width_that_the_graph_does_not_know():
    @tf.function(input_signature=[tf.TensorSpec([None, None])], autograph=False)
    def decode(table):
        def step(state, ids):
            return tf.gather(table, ids), state, None

        return beam_search(step, (), 1, max_lengths=2, beam_size=4, **IDS)

    for vocabulary in (3, 6):
        table = np.random.default_rng(vocabulary).normal(size=(vocabulary, vocabulary))
        expected = beam_search(table_step(table), (), 1, max_lengths=2, beam_size=4, **IDS)
        found = decode(tf.constant(table, tf.float32))
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)


def test_a_row_without_any_possible_token_is_impossible_and_not_nan():
    table = np.zeros((3, 3))
    table[START] = -np.inf
    found = beam_search(table_step(table), (), 1, max_lengths=4, beam_size=2, **IDS)
    assert np.all(found.scores == -np.inf)
    assert np.all(found.lengths == 0)


def test_it_stops_when_all_hypotheses_of_all_rows_are_finished():
    calls = tf.Variable(0)
    table = np.full((4, 4), -np.inf)
    table[START, 2:] = table[2:, END] = 0.0

    def step(state, ids):
        calls.assign_add(1)
        return tf.gather(tf.constant(table, tf.float32), ids), state, None

    beam_search(step, (), 3, max_lengths=1000, beam_size=2, **IDS)
    assert calls == 2


def test_the_state_is_any_nest_and_moves_with_the_hypotheses():
    """Each hypothesis counts its own tokens of id 2, and the third of them forces the end."""

    def step(state, ids):
        count = state["counts"][0] + tf.cast(ids == 2, tf.int32)
        logits = tf.where(count[:, tf.newaxis] < 3, [[-9.0, -9.0, 0.5, 0.0]], [[-9.0, 9.0, -9, -9]])
        return logits, {"counts": [count], "row": state["row"]}, None

    state = {"counts": [tf.zeros([2], tf.int32)], "row": tf.range(2)}
    found = beam_search(step, state, 2, max_lengths=9, beam_size=3, length_penalty=0.0, **IDS)
    finished = found.lengths.numpy() < 9
    assert finished.any()
    twos = np.sum(found.ids.numpy() == 2, axis=-1)
    assert np.all((twos == 3) == finished)


def test_graph_of_unknown_batch_size_equals_eager_and_takes_no_rows():
    model = ToyModel(5, seed=3)

    @tf.function(
        input_signature=[tf.TensorSpec([None, 5]), tf.TensorSpec([None], tf.int32)], autograph=False
    )
    def decode(state, limits):
        return beam_search(
            model.step, state, tf.shape(state)[0], max_lengths=limits, beam_size=3, **IDS
        )

    state, limits = model.initial_state(4), np.array([1, 8, 5, 3], np.int32)
    eager = beam_search(model.step, state, 4, max_lengths=limits, beam_size=3, **IDS)
    for field, expected in zip(decode(state, limits), eager, strict=True):
        np.testing.assert_allclose(field, expected, rtol=1e-4, atol=1e-6)
    none = decode(state[:0], limits[:0])
    assert [field.shape for field in none] == [(0, 3, 0), (0, 3), (0, 3), (0, 3), (0, 3, 0, 5)]
    assert decode.get_concrete_function().structured_outputs.ids.shape.as_list() == [None, 3, None]
    with pytest.raises(tf.errors.InvalidArgumentError, match="max_lengths"):
        decode(state, np.array([1, 2, 0, 4], np.int32))


def test_it_runs_in_a_session_as_tensorflow_serving_does(tmp_path):
    model = ToyModel(5, seed=4)
    module = tf.Module()
    module.decode = tf.function(
        lambda state: beam_search(
            model.step, state, tf.shape(state)[0], max_lengths=6, beam_size=3, **IDS
        )._asdict(),
        input_signature=[tf.TensorSpec([None, 5], name="state")],
        autograph=False,
    )
    tf.saved_model.save(module, tmp_path, signatures=module.decode)
    state = model.initial_state(2)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(tmp_path))
        signature = loaded.signature_def["serving_default"]
        fetches = {name: info.name for name, info in signature.outputs.items()}
        served = session.run(fetches, {signature.inputs["state"].name: state})
    eager = beam_search(model.step, state, 2, max_lengths=6, beam_size=3, **IDS)
    for name, value in served.items():
        np.testing.assert_allclose(value, getattr(eager, name), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("beam_size", [0, -1])
def test_a_beam_size_below_one_is_refused(beam_size):
    with pytest.raises(ValueError, match=rf"`beam_size` must be 1 .*beam_size={beam_size}"):
        beam_search(table_step(np.eye(3)), (), 1, max_lengths=2, beam_size=beam_size, **IDS)


@pytest.mark.parametrize("max_lengths", [0, [3, -1]])
def test_a_limit_below_one_is_refused(max_lengths):
    with pytest.raises(ValueError, match=r"`max_lengths` must be positive.*Received: max_lengths="):
        beam_search(table_step(np.eye(3)), (), 2, max_lengths=max_lengths, **IDS)
