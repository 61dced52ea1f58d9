"""The models: one file each, from the paper to the signatures."""

from zoo.models.nmt_attention import NMTAttention
from zoo.models.nmt_vanilla import NMTVanilla

MODELS = {"nmt_attention": NMTAttention, "nmt_vanilla": NMTVanilla}
