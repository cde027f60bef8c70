"""How many cores training takes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

THREADS = max(1, (os.cpu_count() or 2) // 2)
"""On a busy machine the threads of these small matrices wait for each other: with one of two
cores taken, two threads were ten times slower than one."""


@contextmanager
def few_threads() -> Iterator[None]:
    """Keep PyTorch and the linear algebra of numpy and scikit-learn to `THREADS`.

    The results of a training depend on the number of threads in the last bits, so it is set
    and never left to chance: PyTorch sets its own at its first use, whatever the limit of the
    pool is.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with threadpool_limits(THREADS):
            yield
    finally:
        torch.set_num_threads(before)
