"""A tiny recurrent model over a handful of tokens, twice: a `step` function, and plain NumPy."""

import itertools

import numpy as np
import tensorflow as tf

START, END, PAD = 0, 1, -7


class ToyModel:
    """state = tanh(state W + E[token]), logits = state O: a token depends on its whole prefix.

    Attention is the softmax of the new state, so each attention row identifies its prefix.
    """

    def __init__(self, vocabulary, seed, forbidden=0.0):
        rng = np.random.default_rng(seed)
        self.vocabulary = vocabulary
        self.weights = rng.normal(size=(vocabulary, vocabulary)).astype(np.float32)
        self.embedding = rng.normal(size=(vocabulary, vocabulary)).astype(np.float32)
        self.output = 2 * rng.normal(size=(vocabulary, vocabulary)).astype(np.float32)
        # -inf forbids a token, but never the end token: each prefix has a continuation
        mask = rng.random((vocabulary, vocabulary)) < forbidden
        mask[:, END] = False
        self.mask = np.where(mask, -np.inf, 0).astype(np.float32)

    def initial_state(self, batch, seed=0):
        rng = np.random.default_rng([seed, 1])
        return rng.normal(size=(batch, self.vocabulary)).astype(np.float32)

    def step(self, state, ids):
        state = tf.tanh(tf.matmul(state, self.weights) + tf.gather(self.embedding, ids))
        logits = tf.matmul(state, self.output) + tf.gather(self.mask, ids)
        return logits, state, tf.nn.softmax(state)

    def step_numpy(self, state, token):
        """One row, `state [V]`: (log-probabilities `[V]`, new state `[V]`, attention `[V]`)."""
        state = np.tanh(state.astype(np.float64) @ self.weights + self.embedding[token])
        logits = state @ self.output + self.mask[token]
        attention = np.exp(state) / np.exp(state).sum()
        return logits - np.log(np.exp(logits).sum()), state, attention

    def force(self, state, tokens):
        """Teacher forcing of one row: (log-probability of each token, attention rows)."""
        previous, log_probs, attention = START, [], []
        for token in tokens:
            step_log_probs, state, row = self.step_numpy(state, previous)
            log_probs.append(step_log_probs[token])
            attention.append(row)
            previous = token
        return np.array(log_probs), np.array(attention)

    def all_hypotheses(self, state, limit, length_penalty):
        """Every sequence up to `limit` tokens as (score, tokens with the end token), best first."""
        open_tokens = [token for token in range(self.vocabulary) if token != END]
        sequences = [
            (*prefix, END)
            for length in range(limit)
            for prefix in itertools.product(open_tokens, repeat=length)
        ]
        sequences += itertools.product(open_tokens, repeat=limit)
        scored = [
            (self.force(state, tokens)[0].sum() / len(tokens) ** length_penalty, tokens)
            for tokens in sequences
        ]
        return sorted((pair for pair in scored if pair[0] > -np.inf), reverse=True)


def emitted(hypotheses, row, rank, limit):
    """The tokens of one hypothesis with the end token that its length implies."""
    length = int(hypotheses.lengths[row, rank])
    tokens = tuple(hypotheses.ids[row, rank, :length].numpy().tolist())
    return tokens if length == limit else (*tokens, END)


def check_bookkeeping(model, hypotheses, state, limits, length_penalty):
    """Ids, lengths, scores, attention and padding of each hypothesis agree with teacher forcing."""
    for row, rank in np.ndindex(*hypotheses.lengths.shape):
        length = int(hypotheses.lengths[row, rank])
        assert np.all(hypotheses.ids[row, rank, length:] == PAD)
        assert not np.any(hypotheses.attention[row, rank, length:])
        if hypotheses.scores[row, rank] == -np.inf:
            assert length == 0
            assert hypotheses.log_probs[row, rank] == -np.inf
            continue
        tokens = emitted(hypotheses, row, rank, limits[row])
        assert END not in tokens[:-1]
        log_probs, attention = model.force(state[row], tokens)
        total = log_probs.sum()
        np.testing.assert_allclose(hypotheses.log_probs[row, rank], total, rtol=1e-4, atol=1e-4)
        score = total / len(tokens) ** length_penalty
        np.testing.assert_allclose(hypotheses.scores[row, rank], score, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            hypotheses.attention[row, rank, :length], attention[:length], atol=1e-4
        )


def assert_row_alone_is_the_same(decode, state, limits, row):
    """The useful part of a `row` of `decode(state, limits)` is the same without its batch-mates."""
    together = decode(state, limits)
    alone = decode(state[row : row + 1], limits[row : row + 1])
    np.testing.assert_array_equal(alone.lengths[0], together.lengths[row])
    np.testing.assert_allclose(alone.scores[0], together.scores[row], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(alone.log_probs[0], together.log_probs[row], rtol=1e-5, atol=1e-6)
    longest = alone.ids.shape[-1]
    np.testing.assert_array_equal(alone.ids[0], together.ids[row, :, :longest])
    np.testing.assert_allclose(
        alone.attention[0], together.attention[row, :, :longest], rtol=1e-5, atol=1e-6
    )
    assert np.all(together.ids[row, :, longest:] == PAD)
