"""Graphs that somebody else may have made."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="graphs are made with the extra [train]")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from models.bundle import Bundle, BundleError, packaged_bundle  # noqa: E402
from models.graph import GraphError, check_graph  # noqa: E402
from models.inference import OnnxModel  # noqa: E402

Change = Callable[[Any], object]


def plain() -> Any:
    """A model of one layer, as a bundle may have it."""
    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    weight = numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "plain", rows[:1], rows[1:], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def branch() -> Any:
    out = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    constant = helper.make_node("Constant", [], ["b"], value_float=1.0)
    return helper.make_graph([constant], "branch", [], [out])


def node(operator: str, domain: str = "", **attributes: Any) -> Change:
    def change(model: Any) -> None:
        model.graph.node.append(
            helper.make_node(operator, ["x"], ["z"], domain=domain, **attributes)
        )

    return change


def outside(tensor: Any) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


def sparse(model: Any) -> None:
    values = numpy_helper.from_array(np.ones(1, dtype=np.float32), "s")
    indices = numpy_helper.from_array(np.zeros(1, dtype=np.int64), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2**40]))


def constant_outside(model: Any) -> None:
    node("Constant", value=numpy_helper.from_array(np.ones(2, dtype=np.float32)))(model)
    outside(model.graph.node[-1].attribute[0].t)


def tall(model: Any) -> None:
    """A tree that has as many levels as nodes."""
    node("TreeEnsembleClassifier", "ai.onnx.ml", nodes_treeids=[3] * 70_000)(model)


def whole() -> Any:
    return numpy_helper.from_array(np.array([-(2**63)]))


def dividing(*names: str, before: Change | None = None) -> Change:
    """A division, of what a node before it may make."""

    def change(model: Any) -> None:
        if before is not None:
            before(model)
        for name, kind in (("whole", np.int64), ("exact", np.float32)):
            model.graph.initializer.append(numpy_helper.from_array(np.ones(1, kind), name))
        model.graph.node.append(helper.make_node("Div", names, ["divided"]))

    return change


def function(model: Any) -> None:
    inner = helper.make_node("Identity", ["a"], ["b"])
    model.functions.append(
        helper.make_function("mine", "f", ["a"], ["b"], [inner], model.opset_import)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (node("Loop", body=branch()), "Loop|graphs within a graph"),
        (node("If", then_branch=branch(), else_branch=branch()), "If|graphs within a graph"),
        (node("Scan", body=branch(), num_scan_inputs=1), "Scan|graphs within a graph"),
        (node("SequenceMap", body=branch()), "SequenceMap|graphs within a graph"),
        (node("Loop"), "operator Loop is not among those"),
        (node("RandomNormalLike"), "operator RandomNormalLike"),
        (node("StringNormalizer"), "operator StringNormalizer"),
        (node("Relu", "com.microsoft"), "operator com.microsoft.Relu"),
        (node("Relu", "mine"), "operator mine.Relu"),
        (node("\x1b[31m" + "L" * 5000), "operator \ufffd"),
        (node("Relu", hidden=branch()), "graphs within a graph"),
        (lambda model: outside(model.graph.initializer[0]), "in another file"),
        (constant_outside, "in another file"),
        (sparse, "sparse numbers"),
        (function, "functions of its own"),
        (tall, "a tree of it has 70000 nodes, more than 65535"),
        (
            lambda model: model.training_info.add(initialization=branch()),
            "functions of its own",
        ),
        (dividing("whole", "whole"), "divides numbers that may be integers"),
        (dividing("exact", "whole"), "divides numbers that may be integers"),
        (dividing("z", "z"), "divides numbers that may be integers"),  # which comes later
        (dividing("z", "z", before=node("Shape")), "divides numbers that may be integers"),
        (dividing("z", "z", before=node("Cast", to=7)), "divides numbers that may be integers"),
        (
            dividing("z", "z", before=node("ConstantOfShape", value=whole())),
            "divides numbers that may be integers",
        ),
        (lambda model: [node("Neg")(model) for _ in range(2001)], "2002 operators, more than 2000"),
        (lambda model: model.ClearField("graph"), "it is no ONNX graph"),
    ],
)
def test_a_graph_of_anything_else_is_refused(change: Change, said: str) -> None:
    """It would run for ever, read other files of this machine, or run somebody's code."""
    model = plain()
    check_graph(model.SerializeToString())
    change(model)
    with pytest.raises(GraphError, match=said) as caught:
        check_graph(model.SerializeToString())
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "change",
    [
        dividing("exact", "exact"),
        dividing("x", "exact"),
        dividing("y", "x"),
        dividing("z", "x", before=node("Cast", to=TensorProto.DOUBLE)),
        dividing("z", "x", before=node("ReduceMean")),
        dividing("z", "x", before=node("Scaler", "ai.onnx.ml")),
        dividing("z", "x", before=node("Constant", value_float=2.0)),
    ],
)
def test_fractions_may_be_divided(change: Change) -> None:
    """Models normalise by division: a bundle that is right would be refused."""
    model = plain()
    change(model)
    check_graph(model.SerializeToString())


def test_trees_are_counted_however_they_are_written() -> None:
    """Every reader takes numbers that are packed, and no library of ONNX writes them so."""

    def field(number: int, content: bytes) -> bytes:
        size = len(content)
        length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        return bytes([number << 3 | 2]) + length + content

    attribute = field(1, b"nodes_treeids") + field(8, b"\x03" * 20_000)
    tree = field(4, b"TreeEnsembleClassifier") + field(7, b"ai.onnx.ml") + field(5, attribute)
    with pytest.raises(GraphError, match="numbers of its trees cannot be read"):
        check_graph(field(7, field(1, tree)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 10**6,
        b"\xff" * 10**6,
        b"\x3a\xff\xff\xff\x7f",
        b"\x08\x01" * 10**6 + b"\x3a\x00",
    ],
    ids=["empty", "zeros", "ones", "longer than it is", "without an end"],
)
def test_what_is_no_graph_is_said_at_once(content: bytes) -> None:
    """Its reader must not be the next thing that hangs."""
    with pytest.raises(GraphError):
        check_graph(content)


def test_every_part_of_a_graph_may_be_cut_off() -> None:
    """Half a copied file is no traceback of a parser."""
    content = plain().SerializeToString()
    for size in range(len(content)):
        try:
            check_graph(content[:size])
        except GraphError:
            continue


def test_graphs_of_training_pass(graphs: dict[str, bytes]) -> None:
    """Bundles are trained once and used for years."""
    for content in graphs.values():
        check_graph(content)
    for file in packaged_bundle().glob("*.onnx"):
        check_graph(file.read_bytes())


def looping(features: str) -> Any:
    """A model that never ends."""
    names = [("i", TensorProto.INT64), ("c", TensorProto.BOOL)]
    inner = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["on"])],
        "body",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in names],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )
    true = numpy_helper.from_array(np.array(True), "true")
    most = numpy_helper.from_array(np.array(2**62), "most")
    nodes = [
        helper.make_node("Loop", ["most", "true"], [], body=inner),
        helper.make_node("Softmax", [features], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "loop",
        [helper.make_tensor_value_info(features, TensorProto.DOUBLE, ["n", 22])],
        [helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["n", 22])],
        [true, most],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def filling(features: str) -> Any:
    """A model that wants 800 GB for one number."""
    size = numpy_helper.from_array(np.array([10**11]), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("Cast", ["zeros"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("ReduceSum", ["wide"], ["sum"], keepdims=0),
        helper.make_node("Add", [features, "sum"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "filling",
        [helper.make_tensor_value_info(features, TensorProto.DOUBLE, ["n", 22])],
        [helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["n", 22])],
        [size],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def pooling(features: str, *, folded: bool) -> Any:
    """A model of a single operator that takes hours, which nothing ends."""
    size = numpy_helper.from_array(np.array([1, 1, 3000, 3000]), "size")
    kind = numpy_helper.from_array(np.array(0.0), "kind")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("AveragePool", ["zeros"], ["mean"], kernel_shape=[1500, 1500]),
        helper.make_node("ReduceSum", ["mean"], ["single"], keepdims=0),
        helper.make_node("Cast", ["single"], ["sum"], to=TensorProto.DOUBLE),
        helper.make_node("Add", [features, "sum"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    if not folded:  # the sizes are known only once it runs
        nodes[:0] = [
            helper.make_node("ReduceMin", [features], ["least"], keepdims=0),
            helper.make_node("Mul", ["least", "kind"], ["zero"]),
            helper.make_node("Cast", ["zero"], ["none"], to=TensorProto.INT64),
            helper.make_node("Add", ["size", "none"], ["as_large"]),
        ]
        nodes[4].input[0] = "as_large"
    graph = helper.make_graph(
        nodes,
        "pooling",
        [helper.make_tensor_value_info(features, TensorProto.DOUBLE, ["n", 22])],
        [helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, ["n", 22])],
        [size, kind],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize("folded", [True, False], ids=["while it is loaded", "while it runs"])
def test_an_operator_without_an_end_is_given_up(
    make_bundle: Callable[..., Path], folded: bool
) -> None:
    """Nothing ends a single operator: the session would hang at its start, Ctrl-C or not."""
    path = make_bundle()
    (path / "mode.onnx").write_bytes(pooling("features", folded=folded).SerializeToString())
    program = (
        "import sys\nfrom models import bundle, graph_loading\n"
        "graph_loading.LOADING_S = bundle._TRIAL_S = bundle._TRIAL_ENDS_S = 2.0\n"
        "try:\n    bundle.Bundle.open(sys.argv[1])\n"
        "except bundle.BundleError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "it takes longer than" in done.stdout


@pytest.mark.parametrize(
    ("make", "said"), [(looping, "Loop|graphs within"), (filling, "does not fit its manifest")]
)
def test_a_bundle_with_such_a_graph_is_one_line(
    make_bundle: Callable[..., Path], make: Callable[[str], Any], said: str
) -> None:
    """The session would hang at its start, or take the machine with it."""
    path = make_bundle()
    (path / "mode.onnx").write_bytes(make("features").SerializeToString())
    with pytest.raises(BundleError, match=said) as caught:
        Bundle.open(path)
    assert "\n" not in str(caught.value)
    assert "mode.onnx" in str(caught.value)


def test_a_model_that_is_a_pipe_is_refused(make_bundle: Callable[..., Path]) -> None:
    """The session would wait for ever, without a word."""
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    path = make_bundle()
    (path / "mode.onnx").unlink()
    os.mkfifo(path / "mode.onnx")
    with pytest.raises(BundleError, match=r"mode\.onnx"):
        Bundle.open(path)


def test_a_tall_tree_does_not_end_the_process(tmp_path: Path) -> None:
    """ONNX Runtime goes down a tree by calling itself, until there is no stack left."""
    count = 65_535
    down = [*range(1, count), 0]
    forest = helper.make_node(
        "TreeEnsembleClassifier",
        ["features"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        nodes_treeids=[0] * count,
        nodes_nodeids=list(range(count)),
        nodes_truenodeids=down,
        nodes_falsenodeids=down,
        nodes_modes=["BRANCH_LEQ"] * (count - 1) + ["LEAF"],
        nodes_featureids=[0] * count,
        nodes_values=[0.0] * count,
        class_treeids=[0, 0],
        class_nodeids=[count - 1] * 2,
        class_ids=[0, 1],
        class_weights=[0.25, 0.75],
        classlabels_int64s=[0, 1],
    )
    rows = [
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 2]),
        helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2]),
    ]
    graph = helper.make_graph([forest], "tall", rows[:1], rows[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    (tmp_path / "tall.onnx").write_bytes(model.SerializeToString())
    *_, said = OnnxModel(tmp_path / "tall.onnx")(np.zeros((1, 2)))
    np.testing.assert_allclose(said, [[0.25, 0.75]])
