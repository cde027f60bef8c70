"""What a graph in a bundle may be made of, looked at before ONNX Runtime is given it.

A bundle may come from anybody. Of the operators that ONNX knows, some run for ever (Loop), hide
others (If, Scan, functions) or read other files (tensors whose data lie outside), and a library
of operators of somebody's own would be code. A model needs none of them: those that training
makes, and the usual mathematics, are on a list, and a graph with any other is refused.

One of them ends the whole process: the division of an integer, where the least of all is divided by
-1. So integers are for shapes and places, and what is divided must be known to have a fraction.

The few fields that this takes are read here as ``onnx.proto`` numbers them, since inference does
without the package ``onnx``.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from drivers.outside.names import shown

OPERATORS: Final[dict[str, frozenset[str]]] = {
    "": frozenset(
        """
        Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant
        ConstantOfShape Conv CumSum Div Dropout Elu Equal Erf Exp Expand Flatten Floor GRU Gather
        Gelu Gemm GlobalAveragePool Greater GreaterOrEqual HardSigmoid HardSwish Identity
        InstanceNormalization IsInf IsNaN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log
        LogSoftmax LpNormalization MatMul Max MaxPool Mean Min Mish Mul Neg Not Or PRelu Pow RNN
        Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
        ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Slice Softmax Softplus
        Softsign Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where Xor
        """.split()
    ),
    "ai.onnx.ml": frozenset(
        """
        ArrayFeatureExtractor Imputer LinearClassifier LinearRegressor Normalizer Scaler
        SVMClassifier TreeEnsembleClassifier TreeEnsembleRegressor
        """.split()
    ),
}
"""Operators by domain."""

MOST_NODES: Final = 2000
"""The most nodes that a graph may have; the largest that training makes has 45."""

MOST_BRANCHES: Final = 2**16 - 1
"""Nodes of a tree: ONNX Runtime goes down it by calling itself, for which it needs a stack."""

_MODEL_GRAPH, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 20, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_SPARSE = 1, 5, 11, 15
_INPUT_NAME, _INPUT_TYPE, _TYPE_TENSOR, _TENSOR_TYPE_KIND = 1, 2, 1, 1
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 3, 8
_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS = 5, 10
_ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (6, 11), (22, 23)
_TENSOR_KIND, _TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_PLACE = 2, 8, 13, 14

_FLOAT, _FLOAT_16, _DOUBLE = 1, 10, 11
_OF_INTEGERS = frozenset(
    "And ArgMax ArgMin Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Not Or Shape "
    "Xor".split()
)
_OF_FRACTIONS = frozenset("LinearRegressor Normalizer Scaler TreeEnsembleRegressor".split())
_OF_BOTH = frozenset("LinearClassifier SVMClassifier TreeEnsembleClassifier".split())

_NO_GRAPH = "it is no ONNX graph, or only a part of one"
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MOST_FIELDS = 10**6
_ASIDE = 0  # no field has this number
_INT = re.compile(rb"\x40[\x80-\xff]{0,9}[\x00-\x7f]")
_NUMBERS = re.compile(  # floats, ints and short texts of an attribute: a forest has millions
    rb"(?:\x3d.{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]"
    + b"".join(rb"|\x4a\x%02x.{%d}" % (size, size) for size in range(32))
    + b")++",
    re.DOTALL,
)


class GraphError(ValueError):
    """A file is no graph, or one with something in it that no model of a bundle needs."""


def check_graph(content: bytes) -> None:
    """Refuse a graph that is made of anything but known operators and its own numbers.

    Parameters
    ----------
    content : bytes
        Of an ``.onnx`` file.

    Raises
    ------
    GraphError
        Saying what is in it.
    """
    _Reader().model(memoryview(content))


@dataclasses.dataclass
class _Node:
    """What a node is, as far as it matters here; `kind` is that of numbers that it makes anew."""

    operator: str = ""
    domain: str = ""
    inputs: list[bytes] = dataclasses.field(default_factory=list)
    outputs: list[bytes] = dataclasses.field(default_factory=list)
    kind: int | None = None


class _Reader:
    """Reads messages of Protocol Buffers, and counts their fields: they may be endless."""

    def __init__(self) -> None:
        self._left = _MOST_FIELDS

    def model(self, message: memoryview) -> None:
        graphs = 0
        for field, value in self._fields(message):
            if field in (_MODEL_FUNCTIONS, _MODEL_TRAINING):
                raise GraphError("functions of its own are in it")
            if field == _MODEL_GRAPH:
                graphs += 1
                self._graph(_message(value))
        if graphs != 1:
            raise GraphError(_NO_GRAPH)

    def _graph(self, message: memoryview) -> None:
        nodes: list[_Node] = []
        fractions: set[bytes] = set()
        for field, value in self._fields(message):
            if field == _GRAPH_NODE:
                nodes.append(self._node(_message(value)))
            elif field in (_GRAPH_INITIALIZER, _GRAPH_INPUT):
                read = self._tensor if field == _GRAPH_INITIALIZER else self._input
                name, kind = read(_message(value))
                if kind in (_FLOAT, _FLOAT_16, _DOUBLE):
                    fractions.add(name)
            elif field == _GRAPH_SPARSE:
                raise GraphError("sparse numbers are in it")
        if len(nodes) > MOST_NODES:
            raise GraphError(f"it has {len(nodes)} operators, more than {MOST_NODES}")
        _check_division(nodes, fractions)

    def _input(self, message: memoryview) -> tuple[bytes, int]:
        """Return name and kind of an input."""
        name, kind = b"", 0
        for field, value in self._fields(message):
            if field == _INPUT_NAME:
                name = bytes(_message(value))
            elif field == _INPUT_TYPE:
                for of_type, tensor in self._fields(_message(value)):
                    if of_type == _TYPE_TENSOR:
                        found = dict(self._fields(_message(tensor))).get(_TENSOR_TYPE_KIND)
                        kind = found if isinstance(found, int) else 0
        return name, kind

    def _node(self, message: memoryview) -> _Node:
        node = _Node()
        for field, value in self._fields(message):
            if field == _NODE_INPUT:
                node.inputs.append(bytes(_message(value)))
            elif field == _NODE_OUTPUT:
                node.outputs.append(bytes(_message(value)))
            elif field == _NODE_OPERATOR:
                node.operator = _text(value)
            elif field == _NODE_DOMAIN:
                node.domain = _text(value)
            elif field == _NODE_ATTRIBUTE:
                kind = self._attribute(_message(value))
                node.kind = node.kind if kind is None else kind
        operator, domain = node.operator, node.domain
        if domain == "ai.onnx":  # another way to write the first
            domain = ""
        if operator not in OPERATORS.get(domain, ()):
            name = shown(f"{domain}.{operator}" if domain else operator, 80)
            raise GraphError(f"its operator {name} is not among those that a model may have")
        return node

    def _attribute(self, message: memoryview) -> int | None:
        """Return the kind of numbers that it asks for, None where it asks for none."""
        name, number, runs = "", 0, []
        kind: int | None = None
        for field, value in self._fields(message, _NUMBERS):
            if field == _ATTRIBUTE_NAME:
                name = _text(value)
            elif field == _ATTRIBUTE_INT and isinstance(value, int):
                number = value
            elif field in (_ASIDE, _ATTRIBUTE_INTS):
                runs.append(_message(value))
            if field in _ATTRIBUTE_GRAPHS:
                raise GraphError("graphs within a graph are in it")
            if field in _ATTRIBUTE_SPARSE:
                raise GraphError("sparse numbers are in it")
            if field in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
                _, kind = self._tensor(_message(value))
        if name == "nodes_treeids":
            _check_trees(runs)
        if name == "to":
            return number
        if name.startswith("value_"):
            return _FLOAT if name in ("value_float", "value_floats") else 0
        return kind

    def _tensor(self, message: memoryview) -> tuple[bytes, int]:
        """Return name and kind of some numbers."""
        name, kind = b"", 0
        for field, value in self._fields(message):
            if field == _TENSOR_EXTERNAL or (field == _TENSOR_PLACE and value != 0):
                raise GraphError("some of its numbers lie in another file")
            if field == _TENSOR_NAME:
                name = bytes(_message(value))
            elif field == _TENSOR_KIND and isinstance(value, int):
                kind = value
        return name, kind

    def _fields(
        self, message: memoryview, aside: re.Pattern[bytes] | None = None
    ) -> Iterator[tuple[int, int | memoryview]]:
        """Yield number and value of each field of a message; runs of those aside as one."""
        place = 0
        while place < len(message):
            if aside is not None and (run := aside.match(message, place)):
                yield _ASIDE, message[place : run.end()]
                place = run.end()
                continue
            self._left -= 1
            if self._left < 0:
                raise GraphError(f"it has more than {_MOST_FIELDS} parts")
            key, place = _varint(message, place)
            field, kind = key >> 3, key & 7
            if kind == _VARINT:
                number, place = _varint(message, place)
                yield field, number
                continue
            if kind == _BYTES:
                size, place = _varint(message, place)
            elif kind in (_FIXED_32, _FIXED_64):
                size = 4 if kind == _FIXED_32 else 8
            else:
                raise GraphError(_NO_GRAPH)
            end = place + size
            if end > len(message):
                raise GraphError(_NO_GRAPH)
            yield field, message[place:end]
            place = end


def _check_division(nodes: list[_Node], fractions: set[bytes]) -> None:
    """Refuse the division of what is not known to have a fraction.

    Parameters
    ----------
    nodes : list of _Node
        In their order, in which each comes after those that it needs.
    fractions : set of bytes
        Names of inputs and constants that have one; others are added.
    """
    for node in nodes:
        if node.operator == "Div" and not fractions.issuperset(node.inputs):
            raise GraphError("it divides numbers that may be integers, which can end the process")
        made = node.outputs
        if node.operator in ("Cast", "Constant", "ConstantOfShape"):
            kind = _FLOAT if node.kind is None else node.kind
            fractional = kind in (_FLOAT, _FLOAT_16, _DOUBLE)
        elif node.operator in _OF_BOTH:  # labels, then scores
            fractional, made = True, node.outputs[1:]
        elif node.operator in _OF_INTEGERS:
            fractional = False
        else:  # as the first of its numbers; some make places or yes and no beside them
            first = node.inputs[1:2] if node.operator == "Where" else node.inputs[:1]
            fractional = node.operator in _OF_FRACTIONS or fractions.issuperset(first)
            made = node.outputs[:1] if node.operator in ("Dropout", "MaxPool") else made
        if fractional:
            fractions.update(made)
        else:
            fractions.difference_update(made)


def _check_trees(runs: list[memoryview]) -> None:
    """Refuse a forest with a tree of too many nodes, by the number of the tree of each node."""
    entries = [entry for run in runs for entry in _INT.findall(run)]
    if sum(map(len, entries)) != sum(map(len, runs)):  # written in a way that nobody writes them
        raise GraphError("the numbers of its trees cannot be read")
    largest = max(Counter(entries).values(), default=0)
    if largest > MOST_BRANCHES:
        raise GraphError(f"a tree of it has {largest} nodes, more than {MOST_BRANCHES}")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise GraphError(_NO_GRAPH)
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)[:1000]).decode("utf-8", "replace")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return a number, and where it ends."""
    number = 0
    for k in range(_LONGEST_VARINT):
        if place + k >= len(message):
            break
        byte = message[place + k]
        number |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return number, place + k + 1
    raise GraphError(_NO_GRAPH)
