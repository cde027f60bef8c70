"""How many cores training takes, and what it leaves as it was."""

import pytest

torch = pytest.importorskip("torch")

from models.training.threads import few_threads, short_products  # noqa: E402


def test_training_never_leaves_its_threads_to_chance(monkeypatch):
    """A seed would be another model on a machine with more cores."""
    asked = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    with few_threads(2):
        assert asked == [2]
    assert asked == [2, 7]


def test_short_products_end_with_the_training():
    """Whoever evaluates in the same process would get rounded figures."""
    before = torch.get_float32_matmul_precision()
    with short_products():
        assert torch.get_float32_matmul_precision() == "medium"
    assert torch.get_float32_matmul_precision() == before
