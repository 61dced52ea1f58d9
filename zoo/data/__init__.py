"""Your own data out of files, the way people have it: ready for `fit`, without TensorFlow.

>>> data = zoo.data.read_spans("people.jsonl")
>>> model = zoo.load("ner_open", types=data.types)
>>> model.fit(data.texts, data.spans)
"""

from zoo.data.conll import Tagged, read_conll
from zoo.data.series import read_series
from zoo.data.spans import Spans, read_spans

__all__ = ["Spans", "Tagged", "read_conll", "read_series", "read_spans"]
