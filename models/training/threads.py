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
def short_products() -> Iterator[None]:
    """Let PyTorch round the factors of matrix products to 16 bits, while a network learns.

    Only where the processor has instructions for it, which then take a third less time; sums keep
    32 bits. Distortions moved by less than 0.001 dB.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def few_threads(threads: int = THREADS) -> Iterator[None]:
    """Keep PyTorch and the linear algebra of numpy and scikit-learn to so many threads.

    The results of a training depend on the number of threads in the last bits, so it is set
    and never left to chance: PyTorch sets its own at its first use, whatever the limit of the
    pool is.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)
