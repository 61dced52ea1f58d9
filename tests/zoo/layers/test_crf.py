"""The CRF against brute force over all paths, and what must hold whatever the scores."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zoo.layers import CRF
from zoo.text.tags import iobes_transitions

TAGS = 3
NEAR = {"rtol": 1e-4, "atol": 1e-5}


def random_crf(tags=TAGS, allowed=None, seed=0, **kwargs):
    crf = CRF(tags, allowed, **kwargs)
    random = np.random.default_rng(seed)
    for variable in crf.weights:
        variable.assign(random.normal(size=variable.shape))
    return crf


class Traced:
    """All methods of one CRF, traced once for every batch and length."""

    def __init__(self, crf):
        self.crf = crf
        scores = tf.TensorSpec([None, None, crf.tags])
        rows, ids = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)

        def traced(function, *signature):
            return tf.function(function, input_signature=signature, autograph=False)

        self.viterbi = traced(crf.viterbi, scores, rows)
        self.marginals = traced(crf.marginals, scores, rows)
        self.path = traced(crf.path_probabilities, scores, ids, rows)
        self.likelihood = traced(self._likelihood, scores, ids, rows)

    def _likelihood(self, scores, tags, lengths):
        variables = [variable.value for variable in self.crf.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(scores)
            values = self.crf.log_likelihood(scores, tags, lengths)
            total = tf.reduce_sum(values)
        return values, tape.gradient(total, [scores, *variables])


@pytest.fixture(scope="module")
def traced():
    return Traced(random_crf())


def paths_of(crf, scores):
    """All allowed paths of one row with their scores: the definition, in float64."""
    time, tags = scores.shape
    transitions, start, end = (variable.numpy().astype(float) for variable in crf.weights)
    found = {}
    for path in itertools.product(range(tags), repeat=time):
        steps = list(itertools.pairwise([tags, *path, tags])) if path else []
        if all(crf.allowed[step] for step in steps):
            score = sum(scores[t, tag] for t, tag in enumerate(path))
            score += sum(transitions[a, b] for a, b in itertools.pairwise(path))
            found[path] = score + (start[path[0]] + end[path[-1]] if path else 0.0)
    return found


def batch(lengths, tags=TAGS, extra=0, seed=0, filler=0.0):
    """Random scores and paths, ``filler`` in the padding of the scores."""
    random = np.random.default_rng(seed)
    time = max(lengths, default=0) + extra
    scores = np.full([len(lengths), time, tags], filler, np.float32)
    for row, length in enumerate(lengths):
        scores[row, :length] = 2 * random.normal(size=[length, tags])
    ids = random.integers(0, tags, size=[len(lengths), time]).astype(np.int32)
    return scores, ids, np.array(lengths, np.int32)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), max_size=4),
    extra=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_equals_brute_force_over_all_paths(traced, lengths, extra, seed):
    scores, ids, rows = batch(lengths, extra=extra, seed=seed, filler=np.nan)
    likelihood, _ = traced.likelihood(scores, ids, rows)
    best, best_score = traced.viterbi(scores, rows)
    marginals = traced.marginals(scores, rows)
    path_marginals, conditionals = traced.path(scores, ids, rows)
    for row, length in enumerate(lengths):
        found = paths_of(traced.crf, scores[row, :length].astype(float))
        total = np.logaddexp.reduce(list(found.values()))
        path = tuple(ids[row, :length])
        np.testing.assert_allclose(likelihood[row], found[path] - total, **NEAR)
        assert tuple(best[row, :length].numpy()) == max(found, key=found.get)
        np.testing.assert_allclose(best_score[row], max(found.values()), **NEAR)
        share = {p: np.exp(score - total) for p, score in found.items()}
        for t in range(length):
            for tag in range(TAGS):
                expected = sum(share[p] for p in share if p[t] == tag)
                np.testing.assert_allclose(marginals[row, t, tag], expected, **NEAR)
            before = sum(share[p] for p in share if p[max(t - 1, 0) : t] == path[max(t - 1, 0) : t])
            both = sum(
                share[p] for p in share if p[max(t - 1, 0) : t + 1] == path[max(t - 1, 0) : t + 1]
            )
            np.testing.assert_allclose(conditionals[row, t], both / before, **NEAR)
            np.testing.assert_allclose(path_marginals[row, t], marginals[row, t, path[t]], **NEAR)
        for padded in (best, marginals, path_marginals, conditionals):
            assert not padded[row, length:].numpy().any()


def test_gradients_are_those_of_finite_differences():
    crf = random_crf(dtype="float64")
    scores, ids, rows = batch([4, 0, 1, 3], extra=1)

    @tf.function(autograph=False)
    def total(values):
        for variable, value in zip(crf.trainable_variables, values[1:], strict=True):
            variable.assign(value)
        scores, variables = values[0], [variable.value for variable in crf.trainable_variables]
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = tf.reduce_sum(crf.log_likelihood(scores, ids, rows) * [1.0, 2.0, -3.0, 0.5])
        return value, tape.gradient(value, [scores, *variables])

    at = [tf.constant(scores, tf.float64), *(v.value + 0.0 for v in crf.trainable_variables)]
    step = 1e-5
    for place, gradient in enumerate(total(at)[1]):
        gradient = tf.convert_to_tensor(gradient).numpy()
        for index in np.ndindex(gradient.shape):
            bump = np.zeros(gradient.shape)
            bump[index] = step
            up = total([a + bump if i == place else a for i, a in enumerate(at)])[0]
            down = total([a - bump if i == place else a for i, a in enumerate(at)])[0]
            np.testing.assert_allclose((up - down) / (2 * step), gradient[index], atol=1e-8)


def test_the_gradient_by_a_score_is_the_tag_less_its_marginal(traced):
    scores, ids, rows = batch([5, 2, 0], extra=2)
    _, (gradient, *_) = traced.likelihood(scores, ids, rows)
    chosen = tf.one_hot(ids, TAGS) * tf.sequence_mask(rows, 7, tf.float32)[:, :, None]
    np.testing.assert_allclose(gradient, chosen - traced.marginals(scores, rows), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    mates=st.lists(st.integers(0, 6), max_size=3),
    length=st.integers(0, 6),
    extra=st.integers(0, 3),
    filler=st.sampled_from([0.0, 1e30, np.inf, np.nan]),
)
def test_padding_and_batch_mates_change_nothing(traced, mates, length, extra, filler):
    scores, ids, rows = batch([length, *mates], extra=extra, filler=filler)
    alone = scores[:1, :length], ids[:1, :length], rows[:1]
    ids[0, length:] = -7
    likelihood, (gradient, *_) = traced.likelihood(scores, np.where(ids < 0, 99, ids), rows)
    expected, (expected_gradient, *_) = traced.likelihood(*alone)
    np.testing.assert_allclose(likelihood[:1], expected, **NEAR)
    np.testing.assert_allclose(gradient[:1, :length], expected_gradient, **NEAR)
    assert not gradient[0, length:].numpy().any()
    np.testing.assert_array_equal(
        traced.viterbi(scores, rows)[0][:1, :length], traced.viterbi(alone[0], alone[2])[0]
    )
    np.testing.assert_allclose(
        traced.marginals(scores, rows)[:1, :length], traced.marginals(alone[0], alone[2]), **NEAR
    )


@pytest.fixture(scope="module")
def constrained():
    """Five tags; 0 may always be used, other transitions are drawn."""
    allowed = np.random.default_rng(5).random([6, 6]) < 0.4
    allowed[0], allowed[:, 0] = True, True
    return Traced(random_crf(5, allowed))


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    scale=st.sampled_from([0.0, 1.0, 50.0, 1e4]),
    seed=st.integers(0, 2**16),
)
def test_transitions_that_are_not_allowed_never_come_out(constrained, lengths, scale, seed):
    scores, _, rows = batch(lengths, tags=5, seed=seed)
    tags, _ = constrained.viterbi(scores * scale, rows)
    for path, length in zip(tags.numpy(), lengths, strict=True):
        pairs = itertools.pairwise([5, *path[:length], 5]) if length else []
        assert all(constrained.crf.allowed[pair] for pair in pairs)
    _, gradients = constrained.likelihood(scores * scale, tags, rows)
    assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)


def test_transitions_that_are_not_allowed_get_no_probability(constrained):
    scores, ids, rows = batch([4, 1], tags=5)
    found = [paths_of(constrained.crf, scores[r, :n].astype(float)) for r, n in enumerate(rows)]
    assert len(found[0]) < 5**4
    marginals = constrained.marginals(scores, rows)
    likelihood, _ = constrained.likelihood(scores, ids, rows)
    for row, paths in enumerate(found):
        total = np.logaddexp.reduce(list(paths.values()))
        for t, tag in np.ndindex(rows[row], 5):
            share = sum(np.exp(s - total) for path, s in paths.items() if path[t] == tag)
            np.testing.assert_allclose(marginals[row, t, tag], share, **NEAR)
            assert bool(marginals[row, t, tag] > 0) == (share > 0)
        path = tuple(ids[row, : rows[row]])
        if path in paths:
            np.testing.assert_allclose(likelihood[row], paths[path] - total, **NEAR)
        else:
            assert likelihood[row] < -1e29
    # Not even training pushes on a move that cannot be made.
    best, _ = constrained.viterbi(scores, rows)
    _, (_, transitions, start, end) = constrained.likelihood(scores, best, rows)
    allowed = constrained.crf.allowed
    assert not tf.convert_to_tensor(transitions).numpy()[~allowed[:-1, :-1]].any()
    assert not tf.convert_to_tensor(start).numpy()[~allowed[-1, :-1]].any()
    assert not tf.convert_to_tensor(end).numpy()[~allowed[:-1, -1]].any()


@settings(max_examples=15, deadline=None)
@given(ends=st.lists(st.integers(1, 5), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_a_stretch_of_tags_is_its_first_marginal_times_conditionals(traced, ends, seed):
    length = sum(ends)
    assume(length <= 8)
    scores, ids, rows = batch([length], seed=seed)
    found = paths_of(traced.crf, scores[0].astype(float))
    total = np.logaddexp.reduce(list(found.values()))
    marginals, conditionals = (part[0].numpy() for part in traced.path(scores, ids, rows))
    start = 0
    for size in ends:
        stretch = slice(start, start + size)
        expected = sum(
            np.exp(s - total)
            for path, s in found.items()
            if path[stretch] == tuple(ids[0, stretch])
        )
        got = marginals[start] * conditionals[start + 1 : start + size].prod()
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-6)
        start += size


def test_eager_and_graph_agree(traced):
    scores, ids, rows = batch([5, 0, 3], extra=1)
    crf = traced.crf
    for eager, graph in (
        (crf.log_likelihood(scores, ids, rows), traced.likelihood(scores, ids, rows)[0]),
        (crf.viterbi(scores, rows)[0], traced.viterbi(scores, rows)[0]),
        (crf.viterbi(scores, rows)[1], traced.viterbi(scores, rows)[1]),
        (crf.marginals(scores, rows), traced.marginals(scores, rows)),
        (crf.path_probabilities(scores, ids, rows), traced.path(scores, ids, rows)),
    ):
        np.testing.assert_allclose(eager, graph, rtol=1e-5, atol=1e-6)


def test_a_long_row_is_summed_exactly(traced):
    """float32 sums of 2,000 steps against float64: the marginals must not drift."""
    scores, _, rows = batch([2000], seed=3)
    double = random_crf(dtype="float64")
    expected = tf.function(double.marginals, autograph=False)(tf.constant(scores, tf.float64), rows)
    np.testing.assert_allclose(traced.marginals(scores, rows), expected, rtol=1e-4, atol=1e-6)


def test_precision_policies():
    scores, ids, rows = batch([4, 2])
    mixed, double = random_crf(dtype="mixed_bfloat16"), random_crf(dtype="float64")
    half = tf.cast(scores, tf.bfloat16)
    # The scores are as coarse as bfloat16 is; the sums over paths are not.
    exact = double.log_likelihood(tf.cast(half, tf.float64), ids, rows)
    coarse = mixed.log_likelihood(half, ids, rows)
    assert exact.dtype == tf.float64
    assert coarse.dtype == tf.float32
    np.testing.assert_allclose(coarse, exact, rtol=1e-5)
    assert mixed.marginals(half, rows).dtype == tf.float32
    assert double.marginals(tf.cast(scores, tf.float64), rows).dtype == tf.float64


class Holder(keras.Model):
    """The least that Keras saves weights of."""

    def __init__(self, crf):
        super().__init__()
        self.crf = crf
        self.built = True


def test_config_and_weights_come_back(tmp_path):
    allowed = np.ones([4, 4], bool)
    allowed[1, 2] = False
    crf = random_crf(3, allowed)
    copy = CRF.from_config(crf.get_config())
    np.testing.assert_array_equal(copy.allowed, allowed)

    Holder(crf).save_weights(tmp_path / "crf.weights.h5")
    Holder(copy).load_weights(tmp_path / "crf.weights.h5")
    scores, ids, rows = batch([5, 3])
    np.testing.assert_array_equal(
        crf.log_likelihood(scores, ids, rows), copy.log_likelihood(scores, ids, rows)
    )


@pytest.mark.parametrize("tags", [0, -1, 2.5, True, "8"])
def test_bad_tags_are_named(tags):
    with pytest.raises(ValueError, match="tags="):
        CRF(tags)


def test_bad_shapes_are_named():
    with pytest.raises(ValueError, match=r"`allowed` must be .*\(4, 4\).*Received: shape=\(3, 3\)"):
        CRF(3, np.ones([3, 3]))
    crf = CRF(3)
    with pytest.raises(ValueError, match=r"`scores` must be \[batch, time, 3\]"):
        crf.viterbi(tf.zeros([2, 5, 4]), tf.constant([1, 2]))
    with pytest.raises(ValueError, match="`sequence_length` must hold one integer per row"):
        crf.viterbi(tf.zeros([2, 5, 3]), tf.constant([1, 2, 3]))


@pytest.mark.parametrize("allowed", [None, "iobes"])
def test_log_conditionals_add_up_to_the_likelihood_and_so_do_their_gradients(allowed):
    """The chain rule: each tag given the one before; weights then mean what they say."""
    size, lengths = (TAGS, [4, 0, 1, 2]) if allowed is None else (5, [4, 0, 1, 3])
    crf = random_crf(size, None if allowed is None else iobes_transitions(["X"]))
    scores, ids, rows = batch(lengths, size, extra=1, filler=np.nan)
    if allowed is not None:
        ids = np.array([[1, 2, 3, 4, 0], [0] * 5, [4, 1, 1, 1, 1], [0, 4, 0, 3, 3]], np.int32)
    variables, found = crf.trainable_variables, []
    for function in (crf.log_conditionals, crf.log_likelihood):
        with tf.GradientTape() as tape:
            given = tf.constant(scores)
            tape.watch(given)
            values = function(given, ids, rows)
            total = tf.reduce_sum(values)
        found.append((values, tape.gradient(total, [given, *variables])))
    (parts, gradients), (likelihood, expected) = found
    np.testing.assert_allclose(tf.reduce_sum(parts, 1), likelihood, **NEAR)
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
    _, conditionals = crf.path_probabilities(scores, ids, rows)
    mask = np.arange(ids.shape[1]) < rows[:, None]
    np.testing.assert_allclose(np.exp(parts)[mask], conditionals.numpy()[mask], **NEAR)
    assert (parts.numpy()[~mask] == 0).all()
