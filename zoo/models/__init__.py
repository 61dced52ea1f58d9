"""The models: one file each, from the paper to the signatures."""

from zoo.models.ner import NER
from zoo.models.nmt_attention import NMTAttention
from zoo.models.nmt_vanilla import NMTVanilla
from zoo.models.sentiment import Sentiment

MODELS = {
    "ner": NER,
    "nmt_attention": NMTAttention,
    "nmt_vanilla": NMTVanilla,
    "sentiment": Sentiment,
}
