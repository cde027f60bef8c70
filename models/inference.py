"""One ONNX model, run the way a live session needs it, and believed only where it can be right."""

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.compiled import compiled
from models.graph_loading import TYPES, load_graph

PLAUSIBLE: Final[dict[str, tuple[float, float]]] = {
    "mel_cepstrum": (-50.0, 50.0),  # speech stays within 12, and what EMG of 1000 V gives within 21
    "log_f0": (-10.0, 10.0),
    "voicing": (-0.001, 1.001),
    "probabilities": (-0.001, 1.001),
}
"""Least and most that an output can be and be right, by its name."""

_ANY_OTHER: Final = (-1e6, 1e6)


@dataclass
class _Limit:
    """What can end a run of a graph.

    With options of its own, a run of ONNX Runtime takes half as long again; so there are some only
    while a graph is tried.
    """

    options: onnxruntime.RunOptions | None = None


class OnnxModel:
    """An ONNX graph on one thread that does not spin while it waits, and a quick form of it.

    The default session options burn a whole core between two frames; see
    ``intra_op.allow_spinning`` in the documentation of ONNX Runtime.

    A row of which any output is no number, or lies outside of `PLAUSIBLE`, means nothing, and so
    does one that the graph fails for, or answers with other than one row: it is NaN in all outputs,
    and a stream of rows is then at its beginning again. This is the one place that decides so;
    whoever runs a graph counts such rows and does without them.

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
    GraphError
        A graph has something in it that no model needs, or inputs and outputs of other kinds.
    Exception
        Whatever ONNX Runtime raises for a damaged file; `Bundle.open` turns it into a
        `BundleError`.
    """

    def __init__(self, path: Path, frame_path: Path | None = None) -> None:
        self._session = load_graph(path)
        self._frame_session = self._session if frame_path is None else load_graph(frame_path)
        self._limit = _Limit()
        rows, states, outputs = _parts(self._session)
        self.inputs, self.outputs = (
            {one.name: one.shape[-1] for one in some} for some in (rows, outputs)
        )
        self.states = {state.name: tuple(state.shape) for state in states}
        self._input, self._dtype = rows[0].name, _dtype(rows[0])
        self._row_shape = tuple(rows[0].shape[1:])
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
            In the order of the graph's outputs. A row without meaning is NaN in all of them, and
            so is one that is made of a row with a NaN or an infinity.
        """
        if not len(features):  # some operators of the classifiers' graphs refuse no rows
            return [np.empty((0, *shape)) for shape in self._row_shapes]
        rows = np.ascontiguousarray(features, dtype=self._dtype)
        try:
            made = self._session.run(None, {self._input: rows}, self._limit.options)
            _check_rows(made, len(rows))
        except Exception:
            if self._limit.options is not None or rows.shape[1:] != self._row_shape:
                raise
            if len(rows) > 1:  # the others may be right
                each = [self(features[k : k + 1]) for k in range(len(rows))]
                return [np.concatenate(outputs) for outputs in zip(*each, strict=True)]
            return [np.full((1, *shape), np.nan) for shape in self._row_shapes]
        results = [np.array(result, dtype=np.float64) for result in made]
        wrong = [_wrong(np.asarray(features), -math.inf, math.inf)]
        wrong += [
            _wrong(result, *PLAUSIBLE.get(name, _ANY_OTHER))
            for name, result in zip(self.outputs, results, strict=True)
        ]
        for result in results:
            result[np.logical_or.reduce(wrong)] = np.nan
        return results

    def stream(self, ahead: int = 0) -> "ModelStream":
        """Return a run of the graph along one stream, at its beginning.

        Parameters
        ----------
        ahead : int
            As for `ModelStream`.
        """
        return ModelStream(self._session, self._frame_session, self._limit, ahead)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let runs end with an exception: where they take longer than that, all together, or fail.

        So a graph is tried. Afterwards a run that fails is a row without meaning.
        """
        self._limit.options = options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        timer = threading.Timer(seconds, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._limit.options = None


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
    limit : _Limit
        Of every run.
    ahead : int
        Rows without meaning after a beginning in the middle of the stream: a graph that looks
        ahead needs so many before it describes one.

    Attributes
    ----------
    implausible : int
        Rows that were without meaning, each of which put the states back to zero.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        frame_session: onnxruntime.InferenceSession,
        limit: _Limit,
        ahead: int = 0,
    ) -> None:
        self.implausible = 0
        self._session, self._frame_session, self._limit = session, frame_session, limit
        self._ahead, self._silent = ahead, 0
        self._names = [node.name for node in session.get_inputs()]
        rows, states, outputs = _parts(session)
        self._rows, before = [_zeros(node) for node in rows], [_zeros(node) for node in states]
        self._outputs = [_zeros(node) for node in outputs]
        self._values = [output.reshape(-1) for output in self._outputs]  # the same memory
        self._plausible = [PLAUSIBLE.get(node.name, _ANY_OTHER) for node in outputs]
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
            such that the next call may overwrite them. A row without meaning is NaN in all of
            them, and the next one is the first of a beginning.

        Raises
        ------
        ValueError
            A row has other columns than the graph takes, or one input has more of them.
        Exception
            Whatever ONNX Runtime raises while a graph is tried, see `OnnxModel.within`.
        """
        for place, row in zip(self._rows, rows, strict=True):
            if row.shape[1:] != place.shape[1:]:
                raise ValueError(f"a row has shape {row.shape[1:]}, not {place.shape[1:]}")
        if len(rows[0]) == 1:
            self._process_one(rows)
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
        inputs = dict(zip(self._names, (*given, *states), strict=True))
        try:
            results: list[NDArray[Any]] = self._session.run(None, inputs, self._limit.options)
            _check_rows(results[:count], len(rows[0]))
        except Exception:
            if self._limit.options is not None:
                raise
            return self._one_by_one(rows)
        if self._silent or self._any_wrong([one.reshape(-1) for one in results[:count]]):
            return self._one_by_one(rows)
        for state, after in zip(states, results[count:], strict=True):
            state[:] = after
        return results[:count]

    def _process_one(self, rows: Sequence[NDArray[np.float64]]) -> None:
        """Go on with one row, in the memory that is bound to the graph."""
        for place, row in zip(self._rows, rows, strict=True):
            _put(row, place)
        failed = False
        try:
            self._frame_session.run_with_iobinding(self._bindings[self._turn], self._limit.options)
        except Exception:
            if self._limit.options is not None:
                raise
            failed = True
        self._turn = 1 - self._turn
        self._judge(failed=failed)

    def reset(self) -> None:
        """Forget the past: states are zero again."""
        self._silent = 0
        self._forget()

    def _forget(self) -> None:
        for state in self._states[self._turn]:
            state[:] = 0.0

    def _judge(self, *, failed: bool) -> None:
        """Look at the row that was made, and begin anew where it means nothing."""
        if failed or self._any_wrong(self._values):
            self.implausible += 1
            self._silent = self._ahead
            self._forget()
        elif self._silent:
            self._silent -= 1
        else:
            return
        for output in self._outputs:
            if output.dtype.kind == "f":  # a label has no NaN, and nobody looks at it
                output[:] = np.nan

    def _one_by_one(self, rows: Sequence[NDArray[np.float64]]) -> list[NDArray[Any]]:
        """Go on row by row: the states begin anew in the middle, as they would live."""
        made = [
            [output.copy() for output in self.process(*(one[k : k + 1] for one in rows))]
            for k in range(len(rows[0]))
        ]
        return [np.concatenate(outputs) for outputs in zip(*made, strict=True)]

    def _any_wrong(self, outputs: Sequence[NDArray[Any]]) -> bool:
        return any(
            _lies_outside(values, low, high)
            for values, (low, high) in zip(outputs, self._plausible, strict=True)
        )


@compiled
def _put(row: NDArray[np.float64], place: NDArray[Any]) -> None:
    """Copy a row (1, columns) to its place: cheaper, right after a pause, than in NumPy."""
    for k in range(row.shape[1]):
        place[0, k] = row[0, k]


@compiled
def _lies_outside(values: NDArray[Any], low: float, high: float) -> bool:
    """Say whether any value is no number, or below or above what it can be."""
    for value in values:
        if not low <= value <= high:
            return True
    return False


def _wrong(values: NDArray[Any], low: float, high: float) -> NDArray[np.bool_]:
    """Say of each row whether any of its values is not finite, or out of bounds."""
    each = values.reshape(len(values), -1)
    wrong: NDArray[np.bool_] = ~(np.isfinite(each) & (each >= low) & (each <= high)).all(axis=1)
    return wrong


def _check_rows(results: Sequence[NDArray[Any]], count: int) -> None:
    """Refuse results of other than so many rows."""
    for result in results:
        if result.shape[:1] != (count,):
            raise ValueError(f"{count} rows give a result of shape {result.shape}")


_Nodes = list[onnxruntime.NodeArg]


def _parts(session: onnxruntime.InferenceSession) -> tuple[_Nodes, _Nodes, _Nodes]:
    """Return inputs of rows, states, and outputs that are no states."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = {node.name for node in outputs}
    rows = [node for node in inputs if f"{node.name}_after" not in names]
    return rows, inputs[len(rows) :], outputs[: len(outputs) - len(inputs) + len(rows)]


def _dtype(node: onnxruntime.NodeArg) -> type[np.number]:
    return TYPES[node.type]


def _zeros(node: onnxruntime.NodeArg) -> NDArray[np.number]:
    """Return a row, or a state, of zeros; the first dimension of rows has no fixed length."""
    first, *others = node.shape
    return np.zeros((first if isinstance(first, int) else 1, *others), dtype=_dtype(node))


def _place(array: NDArray[np.number]) -> tuple[str, int, type, tuple[int, ...], int]:
    """Return what a binding has to know of an array, which must outlive it."""
    return "cpu", 0, array.dtype.type, array.shape, array.ctypes.data
