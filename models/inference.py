"""One ONNX model, run the way a live session needs it."""

from collections.abc import Mapping
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
        self._dtype = np.float64 if "double" in features.type else np.float32
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

    def start(self) -> dict[str, NDArray[np.float32]]:
        """Return the states at the beginning of an epoch: zeros."""
        return {name: np.zeros(shape, dtype=np.float32) for name, shape in self.states.items()}

    def go_on(
        self, features: NDArray[np.float64], states: Mapping[str, NDArray[np.float32]]
    ) -> tuple[list[NDArray[np.float64]], dict[str, NDArray[np.float32]]]:
        """Run a graph that remembers.

        Parameters
        ----------
        features : ndarray, shape (n, columns)
            The next rows; n may be 0.
        states : mapping of str to ndarray
            After the rows before, or `start`.

        Returns
        -------
        outputs : list of ndarray, shape (n, ...)
            In the order of the graph's outputs.
        states : dict of str to ndarray
            After the last row; the graph returns them last, in the order in which it takes them.
        """
        if not len(features):
            return [np.empty((0, *shape)) for shape in self._row_shapes], dict(states)
        rows = np.ascontiguousarray(features, dtype=self._dtype)
        results = self._session.run(None, {self._input: rows, **states})
        count = len(self._row_shapes)
        after = dict(zip(self.states, results[count:], strict=True))
        return [np.asarray(result, dtype=np.float64) for result in results[:count]], after
