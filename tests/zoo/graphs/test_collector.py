"""The garbage collector's thresholds, while a graph is traced and after."""

import contextlib
import gc

import pytest

from zoo.graphs.collector import relaxed_collector


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield (700, 10, 10)
    gc.set_threshold(*before)


def test_they_come_back_with_the_last_block(thresholds):
    with relaxed_collector():
        with contextlib.suppress(KeyboardInterrupt), relaxed_collector():
            assert gc.get_threshold()[0] > 700
            raise KeyboardInterrupt
        assert gc.get_threshold()[0] > 700
    assert gc.get_threshold() == thresholds


@pytest.mark.parametrize("own", [(0, 10, 10), (10**6, 5, 5)])
def test_a_user_who_looks_less_often_is_let_alone(own, thresholds):
    gc.set_threshold(*own)
    with relaxed_collector():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own
