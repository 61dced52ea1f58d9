"""One decoder for every model: greedy, sampling and beam search over a `step` function.

The `step` contract
    `step(state, ids) -> (logits, new_state, attention)` advances every row by one token.

    * `ids`: `[rows]` int32, the token each row emitted last (`start_id` at first).
    * `state`: any nest of tensors with leading dimension `rows`; their shapes stay the same.
    * `logits`: `[rows, vocabulary]`, unnormalised; `-inf` forbids a token; no `+inf`, no NaN.
    * `attention`: `[rows, source]` float, or None.

    Rows are batch-major and the K hypotheses of a sentence are neighbours: `row = b * K + k`. K is
    1, but after the first step of a beam search it is the beam size. What does not change while
    decoding (encoder memory, attention keys, lengths) is closed over by `step`, which finds K as
    rows // B: it is neither copied K times nor moved about.

Everything runs in the graph (`tf.while_loop`) with core TensorFlow ops only. Called eagerly,
the loop runs op by op; wrap the call in `tf.function` for speed.
"""

from zoo.decoding.beam import beam_search
from zoo.decoding.greedy import draw_ids, greedy, sample
from zoo.decoding.hypotheses import Hypotheses

__all__ = ["Hypotheses", "beam_search", "draw_ids", "greedy", "sample"]
