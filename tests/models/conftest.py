"""A small bundle whose ONNX graphs are one random layer each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

COLUMNS = 10  # TD features of two channels

Part = dict[str, Any]
MakeBundle = Callable[..., Path]


def manifest() -> Part:
    """What the bundle says of itself, with nothing left out that has no default."""
    return {
        "format": "streamer bundle",
        "version": 1,
        "name": "small",
        "signal": {"rate_hz": 600.0, "channels": ["EMG1", "EMG2"]},
        "conditioning": {},
        "features": {},
        "speech": {"order": 4},
        "converter": {
            "file": "converter.onnx",
            "stacking": {"past": 2, "future": 1},
            "lead_ms": 0.0,
            "level_db": 0.0,
        },
        "activity": {
            "file": "activity.onnx",
            "stacking": {"past": 3, "future": 0},
            "threshold": 0.5,
        },
        "mode": {
            "file": "mode.onnx",
            "labels": ["audible", "whispered", "silent"],
            "features": ["speaker"],
            "window_s": 1.0,
            "calibration": "none",
        },
        "speaker": {
            "file": "speaker.onnx",
            "labels": ["002", "008"],
            "features": ["td_statistics"],
            "window_s": 1.0,
            "calibration": "none",
        },
        "provenance": {
            "created": "2026-11-22",
            "seed": 0,
            "converter_data": {},
            "classifier_data": {},
            "versions": {},
        },
        "figures": {},
    }


def with_other_speakers(part: Part) -> None:
    """Change a manifest: three classifiers tell speakers, of which the first runs."""
    one = part["speaker"]
    part["other_speakers"] = [
        one | {"name": "forest", "file": "forest.onnx", "features": ["speaker"]},
        one
        | {
            "name": "embedding",
            "file": "embedding.onnx",
            "features": ["embedding"],
            "encoder": {"file": "encoder.onnx", "slice_frames": 32, "slice_shift": 16},
        },
    ]


def remembers(part: Part) -> None:
    """Change a manifest: the converter remembers, as in version 1."""
    part["converter"] |= {
        "file": "remembering.onnx",
        "stacking": {"past": 0, "future": 0},
        "states": {"total": [1, COLUMNS]},
        "ahead": 2,
    }


def in_one_graph(part: Part) -> None:
    """Change a manifest: the gate is in a converter with two forms, as in version 2."""
    remembers(part)
    part["version"] = 2
    part["converter"] |= {"file": "with_gate.onnx", "frame_file": "frame.onnx"}
    part["activity"]["file"] = "with_gate.onnx"


@pytest.fixture(params=[remembers, in_one_graph])
def remembering(request: pytest.FixtureRequest) -> Callable[[Part], None]:
    """The change of a manifest that gives it a converter that remembers, of either version."""
    change: Callable[[Part], None] = request.param
    return change


@pytest.fixture
def one_graph() -> Callable[[Part], None]:
    """The change of a manifest that puts the gate into the converter."""
    return in_one_graph


@pytest.fixture
def three_speakers() -> Callable[[Part], None]:
    """The change of a manifest that gives it three speaker classifiers."""
    return with_other_speakers


@pytest.fixture(scope="session")
def graphs() -> dict[str, bytes]:
    """Graphs with the inputs and outputs of trained ones, by file name."""
    pytest.importorskip("onnx")
    return {
        "converter.onnx": _converter(4 * COLUMNS, 5),
        "remembering.onnx": _remembering(COLUMNS, 5),
        "with_gate.onnx": _remembering(COLUMNS, 5, 4 * COLUMNS),
        "frame.onnx": _remembering(COLUMNS, 5, 4 * COLUMNS),
        "another_frame.onnx": _remembering(COLUMNS, 5, 4 * COLUMNS, seed=2),
        "activity.onnx": _discriminant(4 * COLUMNS, 2),
        "mode.onnx": _discriminant(2 * 11, 3, weight=0.001),
        "speaker.onnx": _discriminant(6 * COLUMNS, 2),
        "forest.onnx": _discriminant(2 * 11, 2, weight=0.002),
        "encoder.onnx": _encoder(COLUMNS, 7),
        "embedding.onnx": _discriminant(7, 2, weight=3.0),
    }


@pytest.fixture
def make_bundle(tmp_path: Path, graphs: dict[str, bytes]) -> MakeBundle:
    """Write a bundle; a change is made to its manifest, given as a dictionary."""

    def make(change: Callable[[Part], object] = lambda part: None, name: str = "small") -> Path:
        path = tmp_path / name
        path.mkdir()
        content = manifest()
        change(content)
        (path / "manifest.json").write_text(json.dumps(content))
        for file, graph in graphs.items():
            (path / file).write_bytes(graph)
        return path

    return make


def _converter(columns: int, coefficients: int) -> bytes:
    from onnx import TensorProto, helper

    outputs = {"mel_cepstrum": coefficients, "log_f0": 1, "voicing_logit": 1}
    rng = np.random.default_rng(1)
    nodes, weights = [], []
    for name, width in outputs.items():
        matrix = rng.normal(0, 0.3, (columns, width)).astype(np.float32)
        weights.append(helper.make_tensor(f"{name}_w", TensorProto.FLOAT, matrix.shape, matrix))
        nodes.append(helper.make_node("MatMul", ["features", f"{name}_w"], [name]))
    nodes.append(helper.make_node("Sigmoid", ["voicing_logit"], ["voicing"]))
    graph = helper.make_graph(
        nodes,
        "converter",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["frames", columns])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["frames", width])
            for name, width in (("mel_cepstrum", coefficients), ("log_f0", 1), ("voicing", 1))
        ],
        weights,
    )
    return _bytes(graph)


def _remembering(columns: int, coefficients: int, context: int = 0, seed: int = 4) -> bytes:
    """It says what the features so far add up to; with a context, the gate is in it."""
    from onnx import TensorProto, helper

    rng = np.random.default_rng(seed)
    width = coefficients + 2
    matrix = rng.normal(0, 0.1, (columns, width)).astype(np.float32)
    axis, last = np.array(0, dtype=np.int64), np.array([-1], dtype=np.int64)
    sizes = np.array([coefficients, 1, 1], dtype=np.int64)
    said = {"mel_cepstrum": coefficients, "log_f0": 1, "voicing": 1}
    nodes = [
        helper.make_node("CumSum", ["features", "axis"], ["sums"]),
        helper.make_node("Add", ["sums", "total"], ["totals"]),
        helper.make_node("MatMul", ["totals", "w"], ["all"]),
        helper.make_node("Split", ["all", "sizes"], ["mel_cepstrum", "log_f0", "logit"], axis=1),
        helper.make_node("Sigmoid", ["logit"], ["voicing"]),
        helper.make_node("Gather", ["totals", "last"], ["total_after"], axis=0),
    ]
    weights = [
        helper.make_tensor("w", TensorProto.FLOAT, matrix.shape, matrix),
        helper.make_tensor("axis", TensorProto.INT64, axis.shape, [0]),
        helper.make_tensor("last", TensorProto.INT64, last.shape, last),
        helper.make_tensor("sizes", TensorProto.INT64, sizes.shape, sizes),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", columns])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
        for name, width in said.items()
    ]
    if context:
        gate = rng.normal(0, 0.1, (context, 2))
        nodes += [
            helper.make_node("MatMul", ["context", "gate"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        ]
        weights.append(helper.make_tensor("gate", TensorProto.DOUBLE, gate.shape, gate))
        double = TensorProto.DOUBLE
        inputs.append(helper.make_tensor_value_info("context", double, ["n", context]))
        outputs.append(helper.make_tensor_value_info("probabilities", double, ["n", 2]))
    total = helper.make_tensor_value_info("total", TensorProto.FLOAT, [1, columns])
    after = helper.make_tensor_value_info("total_after", TensorProto.FLOAT, [1, columns])
    graph = helper.make_graph(nodes, "remembering", [*inputs, total], [*outputs, after], weights)
    return _bytes(graph)


def _discriminant(columns: int, classes: int, weight: float = 0.1) -> bytes:
    """As skl2onnx writes it: the label first, then the probabilities."""
    from onnx import TensorProto, helper

    matrix = np.random.default_rng(2).normal(0, weight, (columns, classes))
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "w"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
        ],
        "discriminant",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, [None, columns])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, classes]),
        ],
        [helper.make_tensor("w", TensorProto.DOUBLE, matrix.shape, matrix)],
    )
    return _bytes(graph)


def _encoder(columns: int, size: int) -> bytes:
    """A random direction of the slice's mean frame."""
    from onnx import TensorProto, helper

    matrix = np.random.default_rng(3).normal(0, 1, (columns, size)).astype(np.float32)
    axes = np.array([1], dtype=np.int64)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["slices"], ["mean"], axes=axes, keepdims=0),
            helper.make_node("MatMul", ["mean", "w"], ["turned"]),
            helper.make_node("LpNormalization", ["turned"], ["embedding"], axis=1, p=2),
        ],
        "encoder",
        [helper.make_tensor_value_info("slices", TensorProto.FLOAT, [None, 32, columns])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [None, size])],
        [helper.make_tensor("w", TensorProto.FLOAT, matrix.shape, matrix)],
    )
    return _bytes(graph)


def _bytes(graph: Any) -> bytes:
    from onnx import checker, helper

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
