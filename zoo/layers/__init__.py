"""Recurrent cells, wrappers, unrolling over variable lengths and pooling."""

from zoo.layers import backend  # noqa: F401 (first: it refuses other backends of Keras)
from zoo.layers.attention import BahdanauAttention
from zoo.layers.attention_cell import AttentionCell
from zoo.layers.bidirectional import BidirectionalRNN
from zoo.layers.cells import BasicLSTMCell, BasicRNNCell, GRUCell
from zoo.layers.crf import CRF
from zoo.layers.dropout import DropoutWrapper
from zoo.layers.dynamic_rnn import DynamicRNN
from zoo.layers.gated_convolution import GatedConvolution
from zoo.layers.multi import MultiRNNCell
from zoo.layers.pooling import AttentionPooling, average_pooling, last_relevant
from zoo.layers.recurrent_cell import RecurrentCell

__all__ = [
    "CRF",
    "AttentionCell",
    "AttentionPooling",
    "BahdanauAttention",
    "BasicLSTMCell",
    "BasicRNNCell",
    "BidirectionalRNN",
    "DropoutWrapper",
    "DynamicRNN",
    "GRUCell",
    "GatedConvolution",
    "MultiRNNCell",
    "RecurrentCell",
    "average_pooling",
    "last_relevant",
]
