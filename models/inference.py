"""One ONNX model, run the way a live session needs it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.compiled import compiled


class OnnxModel:
    """An ONNX graph on one thread that does not spin while it waits, and a quick form of it.

    The default session options burn a whole core between two frames; see
    ``intra_op.allow_spinning`` in the documentation of ONNX Runtime.

    Parameters
    ----------
    path : Path
        The ``.onnx`` file. An input that comes out again as ``<name>_after`` is a state; the
        others are rows, a first dimension of any length.
    frame_path : Path, optional
        The same for one row alone, in fewer steps, with the same states: what a stream runs where
        rows come one by one.

    Attributes
    ----------
    inputs : dict of str to int
        Columns of each input of rows by its name.
    outputs : dict of str to int
        Columns of each output of rows by its name.
    states : dict of str to tuple of int
        Shape of each state by its name; empty where the graph remembers nothing.

    Raises
    ------
    Exception
        Whatever ONNX Runtime raises for a damaged file; `Bundle.open` turns it into a
        `BundleError`.
    """

    def __init__(self, path: Path, frame_path: Path | None = None) -> None:
        self._session = _session(path)
        self._frame_session = self._session if frame_path is None else _session(frame_path)
        rows, states, outputs = _parts(self._session)
        self.inputs, self.outputs = (
            {one.name: one.shape[-1] for one in some} for some in (rows, outputs)
        )
        self.states = {state.name: tuple(state.shape) for state in states}
        self._input, self._dtype = rows[0].name, _dtype(rows[0])
        self._row_shapes = [output.shape[1:] for output in outputs]

    def __call__(self, features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Run a graph of one input.

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
        return ModelStream(self._session, self._frame_session)


class ModelStream:
    """One run of a graph along a stream of rows; see `OnnxModel.stream`.

    Its memory of one row, and of the states before and after it, is made once and bound to the
    graph: handing over a dozen arrays costs a single row as long as the graph itself.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        States come last, and go in and out in the same order.
    frame_session : onnxruntime.InferenceSession
        What runs a single row: the same, or one with the same inputs and outputs.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, frame_session: onnxruntime.InferenceSession
    ) -> None:
        self._session, self._frame_session = session, frame_session
        self._names = [node.name for node in session.get_inputs()]
        rows, states, outputs = _parts(session)
        self._rows, before = [_zeros(node) for node in rows], [_zeros(node) for node in states]
        self._outputs = [_zeros(node) for node in outputs]
        # A graph must not overwrite what it still reads: states go to and fro between two places.
        self._states = (before, [np.zeros_like(state) for state in before])
        self._bindings = []
        for now, after in (self._states, self._states[::-1]):
            binding = frame_session.io_binding()
            for name, array in zip(self._names, (*self._rows, *now), strict=True):
                binding.bind_input(name, *_place(array))
            for node, array in zip(session.get_outputs(), (*self._outputs, *after), strict=True):
                binding.bind_output(node.name, *_place(array))
            self._bindings.append(binding)
        self._turn = 0

    def process(self, *rows: NDArray[np.float64]) -> list[NDArray[Any]]:
        """Go on with the next rows.

        Parameters
        ----------
        *rows : ndarray, shape (n, columns)
            The next rows of each input, of all equally many; n may be 0.

        Returns
        -------
        list of ndarray, shape (n, ...)
            In the order of the graph's outputs, states left out; of the graph's own types, and
            such that the next call may overwrite them.

        Raises
        ------
        ValueError
            A row has other columns than the graph takes, or one input has more of them.
        Exception
            Whatever ONNX Runtime raises for several such rows.
        """
        if len(rows[0]) == 1:
            for place, row in zip(self._rows, rows, strict=True):
                if row.shape != place.shape:
                    raise ValueError(f"a row has shape {row.shape}, not {place.shape}")
                _put(row, place)
            self._frame_session.run_with_iobinding(self._bindings[self._turn])
            self._turn = 1 - self._turn
            return self._outputs
        if len({len(one) for one in rows}) > 1:
            raise ValueError(f"inputs of {' and '.join(str(len(one)) for one in rows)} rows")
        if not len(rows[0]):
            return [output[:0] for output in self._outputs]
        given = [
            np.ascontiguousarray(one, dtype=place.dtype)
            for one, place in zip(rows, self._rows, strict=True)
        ]
        states, count = self._states[self._turn], len(self._outputs)
        results: list[NDArray[Any]] = self._session.run(
            None, dict(zip(self._names, (*given, *states), strict=True))
        )
        for state, after in zip(states, results[count:], strict=True):
            state[:] = after
        return results[:count]

    def reset(self) -> None:
        """Forget the past: states are zero again."""
        for state in self._states[self._turn]:
            state[:] = 0.0


@compiled
def _put(row: NDArray[np.float64], place: NDArray[Any]) -> None:
    """Copy a row (1, columns) to its place: cheaper, right after a pause, than in NumPy."""
    for k in range(row.shape[1]):
        place[0, k] = row[0, k]


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its errors come as exceptions, not as lines on stderr
    return onnxruntime.InferenceSession(
        path, sess_options=options, providers=["CPUExecutionProvider"]
    )


_Nodes = list[onnxruntime.NodeArg]

_TYPES: dict[str, type[np.number]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
}


def _parts(session: onnxruntime.InferenceSession) -> tuple[_Nodes, _Nodes, _Nodes]:
    """Return inputs of rows, states, and outputs that are no states."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    said = {node.name for node in outputs}
    rows = [node for node in inputs if f"{node.name}_after" not in said]
    return rows, inputs[len(rows) :], outputs[: len(outputs) - len(inputs) + len(rows)]


def _dtype(node: onnxruntime.NodeArg) -> type[np.number]:
    return _TYPES[node.type]


def _zeros(node: onnxruntime.NodeArg) -> NDArray[np.number]:
    """Return a row, or a state, of zeros; the first dimension of rows has no fixed length."""
    first, *others = node.shape
    return np.zeros((first if isinstance(first, int) else 1, *others), dtype=_dtype(node))


def _place(array: NDArray[np.number]) -> tuple[str, int, type, tuple[int, ...], int]:
    """Return what a binding has to know of an array, which must outlive it."""
    return "cpu", 0, array.dtype.type, array.shape, array.ctypes.data
