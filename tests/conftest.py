"""What several rooms' tests share."""

import keras
import pytest

from tests import corpus


@pytest.fixture(scope="session")
def tokenizer():
    return corpus.tiny_tokenizer()


@pytest.fixture(scope="session", params=["nmt_attention", "nmt_vanilla"])
def model(request, tokenizer):
    """Both translators, tiny, with random weights. Tests leave the weights alone."""
    keras.utils.set_random_seed(3)
    makers = {"nmt_attention": corpus.tiny_attention, "nmt_vanilla": corpus.tiny_vanilla}
    return makers[request.param](tokenizer)
