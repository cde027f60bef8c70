"""ONNX graphs from files that anybody may have written: looked at, then loaded within bounds."""

import math
from functools import cache, partial
from pathlib import Path

import numpy as np
import onnxruntime

from drivers.outside.texts import open_regular
from models.bounds import check_size
from models.deadline import within
from models.graph import GraphError, check_graph

TYPES: dict[str, type[np.number]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
}
"""What an input or an output can be, by ONNX Runtime's name of it."""

LOADING_S = 30.0
"""Longest time that loading a graph may take."""

_MOST_BYTES = 2**30  # of a file; the largest that training makes has some millions
_MOST_MEMORY = 2**32  # bytes that all graphs together may take while they run
_MOST_FOLDED = 2**26  # bytes of one result that is computed while a graph is loaded
_STACK_BYTES = 2**27  # of the thread that loads: twice of what the tallest tree needs


def load_graph(path: Path) -> onnxruntime.InferenceSession:
    """Load a graph, once it is known to have nothing in it that no model needs.

    Parameters
    ----------
    path : Path
        The ``.onnx`` file.

    Returns
    -------
    onnxruntime.InferenceSession
        On one thread that does not spin while it waits.

    Raises
    ------
    GraphError
        An operator, an input or an output is of a kind that no model needs.
    StreamerError
        It is no file, or too large.
    TimeoutError
        Loading takes longer than `LOADING_S`.
    Exception
        Whatever ONNX Runtime raises for a graph that it cannot load.
    """
    with open_regular(path, f"model {path}") as file:
        content = file.read(_MOST_BYTES + 1)
    check_size(f"bytes of model {path}", len(content), _MOST_BYTES)
    check_graph(content)
    # loaded from memory, it cannot name other files
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its errors come as exceptions, not as lines on stderr
    options.add_session_config_entry(
        "optimization.constant_folding_max_output_size_in_bytes", str(_MOST_FOLDED)
    )
    _limit_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    load = partial(
        onnxruntime.InferenceSession,
        content,
        sess_options=options,
        providers=["CPUExecutionProvider"],
    )
    try:
        session = within(LOADING_S, load, _STACK_BYTES)
    except TimeoutError:
        options.set_load_cancellation_flag(True)  # looked at between two operators
        raise
    for node in (*session.get_inputs(), *session.get_outputs()):
        _check_kind(node)
    return session


@cache
def _limit_memory() -> None:
    """Let the graphs of this process take so much memory and no more, once for all of them.

    What goes wrong in there ONNX Runtime would also write on stderr, in colours.
    """
    onnxruntime.set_default_logger_severity(4)
    cpu = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    limit = onnxruntime.OrtArenaCfg({"max_mem": _MOST_MEMORY})
    onnxruntime.create_and_register_allocator(cpu, limit)


def _check_kind(node: onnxruntime.NodeArg) -> None:
    """Refuse an input or an output that is no array of numbers of a size that can be meant."""
    if node.type not in TYPES:
        raise GraphError(f"{node.name} is {node.type}, not {' or '.join(TYPES)}")
    first, *others = node.shape or [None]
    if not all(isinstance(size, int) and size > 0 for size in others):
        raise GraphError(f"{node.name} has shape {node.shape}: all but the first have to be known")
    rows = first if isinstance(first, int) else 1
    check_size(f"values of {node.name}", math.prod((rows, *others)))
