import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
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
from zoo.decoding import draw_ids, greedy, sample

SEEDS = st.integers(0, 2**31 - 1)
LIMITS = st.lists(st.integers(1, 8), min_size=1, max_size=5)
IDS = {"start_id": START, "end_id": END, "pad_id": PAD}


def constant_step(logits):
    return lambda state, ids: (tf.gather(tf.constant([logits], tf.float32), ids * 0), state, None)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, limits=LIMITS, forbidden=st.sampled_from([0.0, 0.4]))
def test_greedy_takes_the_most_probable_token_each_time(seed, limits, forbidden):
    model = ToyModel(6, seed, forbidden)
    state = model.initial_state(len(limits), seed)
    found = greedy(model.step, state, len(limits), max_lengths=limits, **IDS)
    check_bookkeeping(model, found, state, limits, length_penalty=1.0)
    for row, limit in enumerate(limits):
        row_state, previous = state[row], START
        for token in emitted(found, row, 0, limit):
            log_probs, row_state, _ = model.step_numpy(row_state, previous)
            assert log_probs[token] > log_probs.max() - 1e-5
            previous = token


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    limits=LIMITS,
    top_k=st.integers(0, 8),
    temperature=st.sampled_from([0.3, 1.0, 4.0]),
    forbidden=st.sampled_from([0.0, 0.4]),
)
def test_samples_are_possible_and_scored_by_the_model(seed, limits, top_k, temperature, forbidden):
    model = ToyModel(6, seed, forbidden)
    state = model.initial_state(len(limits), seed)
    found = sample(
        model.step,
        state,
        len(limits),
        max_lengths=limits,
        temperature=temperature,
        top_k=top_k,
        seed=seed,
        **IDS,
    )
    check_bookkeeping(model, found, state, limits, length_penalty=1.0)
    assert np.all(np.isfinite(found.scores))  # a token of probability 0 is never drawn


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, limits=st.lists(st.integers(1, 8), min_size=2, max_size=5), data=st.data())
def test_a_greedy_row_does_not_depend_on_its_batch_mates(seed, limits, data):
    model = ToyModel(5, seed)

    def decode(state, limits):
        return greedy(model.step, state, len(limits), max_lengths=limits, **IDS)

    row = data.draw(st.integers(0, len(limits) - 1))
    assert_row_alone_is_the_same(decode, model.initial_state(len(limits), seed), limits, row)


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    limits=st.lists(st.integers(1, 8), min_size=3, max_size=6),
    top_k=st.integers(0, 4),
    data=st.data(),
)
def test_a_sampled_row_depends_on_its_index_and_not_on_its_batch_mates(seed, limits, top_k, data):
    model = ToyModel(5, seed)
    state = model.initial_state(len(limits), seed)

    def decode(state, limits):
        return sample(
            model.step, state, len(limits), max_lengths=limits, top_k=top_k, seed=seed, **IDS
        )

    row = data.draw(st.integers(0, len(limits) - 2))
    others = np.concatenate([model.initial_state(row, seed + 1), state[row : row + 1]])
    together, among_others = decode(state, limits), decode(others, [1] * row + [limits[row]])
    length = int(together.lengths[row, 0])
    assert among_others.lengths[row, 0] == length
    np.testing.assert_array_equal(together.ids[row, 0, :length], among_others.ids[row, 0, :length])


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 0), (0.5, 0), (2.0, 3)])
def test_frequencies_are_the_softmax_at_the_temperature(temperature, top_k):
    logits = np.array([0.3, -1.0, 1.2, -np.inf, 0.9])
    draws, steps = 500, 20
    found = sample(
        constant_step(logits),
        (),
        draws,
        start_id=0,
        end_id=-1,
        max_lengths=steps,
        temperature=temperature,
        top_k=top_k,
        seed=5,
    )
    weights = np.exp(logits / temperature)
    if top_k:
        weights[np.argsort(weights)[:-top_k]] = 0
    expected = weights / weights.sum()
    observed = np.bincount(found.ids.numpy().ravel(), minlength=5) / (draws * steps)
    assert np.all(observed[expected == 0] == 0)
    np.testing.assert_allclose(observed, expected, atol=5 * np.sqrt(0.25 / (draws * steps)))
    # no two rows and no two steps share their random numbers
    assert len(np.unique(found.ids[:, 0].numpy(), axis=0)) == draws
    assert len(np.unique(found.ids[:, 0].numpy(), axis=1).T) == steps


def test_seeds_repeat_and_differ():
    def draw(seed):
        return sample(
            constant_step(np.zeros(50)), (), 2, start_id=0, end_id=-1, max_lengths=20, seed=seed
        ).ids.numpy()

    np.testing.assert_array_equal(draw(7), draw(7))
    assert np.any(draw(7) != draw(8))


@pytest.mark.parametrize("options", [{"temperature": 1e-30}, {"top_k": 1}])
def test_sampling_becomes_greedy_in_the_limit(options):
    model = ToyModel(6, seed=1)
    state = model.initial_state(8)
    sampled = sample(model.step, state, 8, max_lengths=9, seed=2, **options, **IDS)
    for field, expected in zip(
        sampled, greedy(model.step, state, 8, max_lengths=9, **IDS), strict=True
    ):
        np.testing.assert_allclose(field, expected, rtol=1e-5)


def test_equal_logits_give_the_lowest_id():
    found = greedy(constant_step([1.0, 2.0, 2.0, 2.0]), (), 1, start_id=0, end_id=-1, max_lengths=2)
    np.testing.assert_array_equal(found.ids, [[[1, 1]]])


@pytest.mark.parametrize("decode", [greedy, lambda *args, **kw: sample(*args, seed=1, **kw)])
def test_a_row_without_any_possible_token_is_impossible_and_not_nan(decode):
    found = decode(constant_step([-np.inf] * 3), (), 2, max_lengths=5, **IDS)
    assert np.all(found.scores == -np.inf)
    assert np.all(found.lengths == 0)


def test_each_row_may_start_with_its_own_token():
    table = tf.constant([[0.0, 9.0, 0.0], [0.0, 0.0, 9.0], [9.0, 0.0, 0.0]])
    found = greedy(
        lambda state, ids: (tf.gather(table, ids), state, None),
        (),
        3,
        start_id=[0, 1, 2],
        end_id=-1,
        max_lengths=1,
    )
    np.testing.assert_array_equal(found.ids[:, 0, 0], [1, 2, 0])


@pytest.mark.parametrize("decode", [greedy, lambda *args, **kw: sample(*args, seed=1, **kw)])
def test_graph_of_unknown_batch_size_equals_eager_and_takes_no_rows(decode):
    model = ToyModel(5, seed=3)

    @tf.function(input_signature=[tf.TensorSpec([None, 5])], autograph=False)
    def in_graph(state):
        return decode(model.step, state, tf.shape(state)[0], max_lengths=7, **IDS)

    state = model.initial_state(4)
    eager = decode(model.step, state, 4, max_lengths=7, **IDS)
    for field, expected in zip(in_graph(state), eager, strict=True):
        np.testing.assert_allclose(field, expected, rtol=1e-4, atol=1e-6)
    none = in_graph(state[:0])
    assert [field.shape for field in none] == [(0, 1, 0), (0, 1), (0, 1), (0, 1), (0, 1, 0, 5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "`temperature` must be above 0.*temperature=0"),
        ({"temperature": float("nan")}, "`temperature` must be above 0.*temperature=nan"),
        ({"top_k": -1}, "`top_k` must be 0 .*top_k=-1"),
        ({"max_lengths": 0}, "`max_lengths` must be positive.*max_lengths=0"),
    ],
)
def test_bad_sampling_options_are_refused(options, message):
    arguments = {"max_lengths": 3, "seed": 1, **IDS, **options}
    with pytest.raises(ValueError, match=message):
        sample(constant_step([0.0, 1.0]), (), 1, **arguments)


def draws(top_p, top_k=0, temperature=1.0):
    """How often each of five tokens is drawn in 4,000 draws."""
    logits = tf.math.log(tf.constant([[0.1, 0.4, 0.05, 0.3, 0.15]]))
    logits = tf.tile(logits, [4000, 1])
    ids, _ = draw_ids(logits, 0, 1, temperature, top_k, top_p)
    return np.bincount(ids[:, 0], minlength=5) / 4000


def test_the_nucleus_is_the_fewest_tokens_with_their_share():
    np.testing.assert_allclose(draws(0.69), [0, 4 / 7, 0, 3 / 7, 0], atol=0.03)
    np.testing.assert_allclose(draws(0.71), [0, 0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85], atol=0.03)
    np.testing.assert_allclose(draws(1.0), [0.1, 0.4, 0.05, 0.3, 0.15], atol=0.03)
    np.testing.assert_array_equal(draws(1e-6), [0, 1, 0, 0, 0])
    # Among the two that are left to it: 0.4 of 0.7 is more than a half.
    np.testing.assert_array_equal(draws(0.5, top_k=2), [0, 1, 0, 0, 0])
    # Heat flattens before the share is counted.
    assert (draws(0.9, temperature=100.0) > 0).sum() == 5


@pytest.mark.parametrize("top_p", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_cannot_be_is_told(top_p):
    with pytest.raises(ValueError, match=r"`top_p` must be above 0 and at most 1.*top_p="):
        draw_ids(tf.zeros([1, 3]), 0, 1, top_p=top_p)
