"""One ONNX model, run the way a live session needs it."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class OnnxModel:
    """An ONNX graph on one thread that does not spin while it waits.

    The default session options burn a whole core between two frames; see
    ``intra_op.allow_spinning`` in the documentation of ONNX Runtime.

    Parameters
    ----------
    path : Path
        The ``.onnx`` file; its first input are the features, others are states.

    Attributes
    ----------
    states : dict of str to tuple of int
        Shape of each state by its name; empty where the graph remembers nothing.

    Raises
    ------
    Exception
        Whatever ONNX Runtime raises for a damaged file; `Bundle.open` turns it into a
        `BundleError`.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # its errors come as exceptions, not as lines on stderr
        self._session = onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
        features, *states = self._session.get_inputs()
        self._input = features.name
        self.states = {state.name: tuple(state.shape) for state in states}
        self._dtype = _dtype(features)
        outputs = self._session.get_outputs()[: len(self._session.get_outputs()) - len(states)]
        self._row_shapes = [output.shape[1:] for output in outputs]

    def __call__(self, features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Run the graph.

        Parameters
        ----------
        features : ndarray, shape (n, columns)
            One row a frame or window; n may be 0.

        Returns
        -------
        list of ndarray, shape (n, ...)
            In the order of the graph's outputs.
        """
        if not len(features):  # some operators of the classifiers' graphs refuse no rows
            return [np.empty((0, *shape)) for shape in self._row_shapes]
        rows = np.ascontiguousarray(features, dtype=self._dtype)
        results = self._session.run(None, {self._input: rows})
        return [np.asarray(result, dtype=np.float64) for result in results]

    def stream(self) -> "ModelStream":
        """Return a run of the graph along one stream, at its beginning."""
        return ModelStream(self._session)


class ModelStream:
    """One run of a graph along a stream of rows; see `OnnxModel.stream`.

    Its memory of one row, and of the states before and after it, is made once and bound to the
    graph: handing over a dozen arrays costs a single row as long as the graph itself.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        States come last, and go in and out in the same order.
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._names = [node.name for node in session.get_inputs()]
        self._row, *before = (_zeros(node) for node in session.get_inputs())
        count = len(session.get_outputs()) - len(before)
        self._outputs = [_zeros(node) for node in session.get_outputs()[:count]]
        # A graph must not overwrite what it still reads: states go to and fro between two places.
        self._states = (before, [np.zeros_like(state) for state in before])
        self._bindings = []
        for states, after in (self._states, self._states[::-1]):
            binding = session.io_binding()
            for name, array in zip(self._names, (self._row, *states), strict=True):
                binding.bind_input(name, *_place(array))
            for node, array in zip(session.get_outputs(), (*self._outputs, *after), strict=True):
                binding.bind_output(node.name, *_place(array))
            self._bindings.append(binding)
        self._turn = 0

    def process(self, features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Go on with the next rows.

        Parameters
        ----------
        features : ndarray, shape (n, columns)
            The next rows; n may be 0.

        Returns
        -------
        list of ndarray, shape (n, ...)
            In the order of the graph's outputs, states left out.
        """
        if len(features) == 1:
            self._row[0] = features[0]
            self._session.run_with_iobinding(self._bindings[self._turn])
            self._turn = 1 - self._turn
            return [output.astype(np.float64) for output in self._outputs]
        if not len(features):
            return [np.empty((0, *output.shape[1:])) for output in self._outputs]
        rows = np.ascontiguousarray(features, dtype=self._row.dtype)
        states, count = self._states[self._turn], len(self._outputs)
        results = self._session.run(None, dict(zip(self._names, (rows, *states), strict=True)))
        for state, after in zip(states, results[count:], strict=True):
            state[:] = after
        return [np.asarray(result, dtype=np.float64) for result in results[:count]]

    def reset(self) -> None:
        """Forget the past: states are zero again."""
        for state in self._states[self._turn]:
            state[:] = 0.0


_TYPES: dict[str, type[np.number]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
}


def _dtype(node: onnxruntime.NodeArg) -> type[np.number]:
    return _TYPES[node.type]


def _zeros(node: onnxruntime.NodeArg) -> NDArray[np.number]:
    """Return a row, or a state, of zeros; the first dimension of rows has no fixed length."""
    first, *others = node.shape
    return np.zeros((first if isinstance(first, int) else 1, *others), dtype=_dtype(node))


def _place(array: NDArray[np.number]) -> tuple[str, int, type, tuple[int, ...], int]:
    """Return what a binding has to know of an array, which must outlive it."""
    return "cpu", 0, array.dtype.type, array.shape, array.ctypes.data
