"""Trained models to ONNX, each compared with its original before it is kept."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.pipeline import Pipeline

from drivers.errors import StreamerError
from models.inference import OnnxModel
from models.signal.operator import Array
from models.training.causal import CausalNetwork
from models.training.classifiers import Discriminant
from models.training.embedding import SpeakerEncoder
from models.training.evidence import TrainedEvidence
from models.training.forest import Forest
from models.training.network import ConverterNetwork
from models.training.one_stream import OneStream

CONVERTER_TOLERANCE = 1e-4
ENCODER_TOLERANCE = 1e-5
CLASSIFIER_TOLERANCE = 1e-5
EMBEDDED_TOLERANCE = 1e-4
"""Of a classifier of embeddings: it amplifies the rounding of the network before it (3e-6 were
measured)."""


_OPSET, _IR_VERSION = 17, 8  # what every ONNX Runtime since 1.12 reads


class ExportError(StreamerError):
    """An exported model does not do what the trained one does."""


def export_converter(network: ConverterNetwork, file: Path, examples: Array) -> float:
    """Write the converter's network and compare it.

    Parameters
    ----------
    network : ConverterNetwork
        In evaluation mode.
    file : Path
        The ``.onnx`` file.
    examples : ndarray, shape (n, columns)
        Stacked features to compare on.

    Returns
    -------
    float
        Largest difference in any output.

    Raises
    ------
    ExportError
        When it exceeds 1e-4.
    """
    x = torch.tensor(examples, dtype=torch.float32)
    with _quiet():
        torch.onnx.export(
            network,
            (x[:2],),
            file,
            input_names=["features"],
            output_names=["mel_cepstrum", "log_f0", "voicing"],
            dynamic_shapes=({0: torch.export.Dim("frames")},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    with torch.no_grad():
        expected = [output.numpy() for output in network(x)]
    found = OnnxModel(file)(examples)
    return _checked(expected, found, CONVERTER_TOLERANCE, file)


def export_causal(
    network: CausalNetwork,
    gate: Discriminant,
    file: Path,
    frame_file: Path,
    frames: Array,
    context: Array,
) -> tuple[dict[str, float], dict[str, tuple[int, ...]]]:
    """Write a converter that remembers with the gate, and compare them over a whole utterance.

    Parameters
    ----------
    network : CausalNetwork
        In evaluation mode.
    gate : Discriminant
        Rest and speech.
    file, frame_file : Path
        The ``.onnx`` files: for any number of frames, and for one alone.
    frames : ndarray, shape (n, columns)
        EMG features of some utterances, as of one.
    context : ndarray, shape (n, features)
        The same stacked for the gate.

    Returns
    -------
    differences : dict of str to float
        Largest one in any output of the ``converter`` and of the ``gate``.
    states : dict of str to tuple of int
        Shape of each state of the graphs by its name.

    Raises
    ------
    ExportError
        When one exceeds 1e-4, or 1e-5 in a probability of the gate.
    """
    x = torch.tensor(frames, dtype=torch.float32)
    for one, alone in ((file, False), (frame_file, True)):
        stream = OneStream(network, gate, alone=alone)
        count = 1 if alone else 8
        rows = {} if alone else {0: torch.export.Dim("frames")}
        with _quiet():
            torch.onnx.export(
                stream,
                (x[:count], torch.tensor(context[:count]), stream.start()),
                one,
                input_names=["features", "context", "past"],
                output_names=["mel_cepstrum", "log_f0", "voicing", "probabilities", "past_after"],
                dynamic_shapes=(rows, rows, {}),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    with torch.no_grad():
        expected = [output.numpy() for output in network(x, *network.body.start())[:3]]
    said, given = [gate.predict_proba(context)], (frames, context)
    model = OnnxModel(file, frame_file)
    differences = {"converter": 0.0, "gate": 0.0}
    for one, count in ((file, len(frames)), (frame_file, 1)):
        run = model.stream().process
        parts = [
            [output.copy() for output in run(*(rows[k : k + count] for rows in given))]
            for k in range(0, len(frames), count)
        ]
        *found, probabilities = (np.concatenate(part) for part in zip(*parts, strict=True))
        largest = {
            "converter": _checked(expected, found, CONVERTER_TOLERANCE, one),
            "gate": _checked(said, [probabilities], CLASSIFIER_TOLERANCE, one),
        }
        differences = {name: max(one, largest[name]) for name, one in differences.items()}
    return differences, model.states


def export_encoder(network: SpeakerEncoder, file: Path, slices: Array) -> float:
    """Write a speaker encoder and compare it.

    Parameters
    ----------
    network : SpeakerEncoder
        In evaluation mode.
    file : Path
        The ``.onnx`` file.
    slices : ndarray, shape (n, frames, columns)
        To compare on; the graph takes any number of slices of this length.

    Returns
    -------
    float
        Largest difference in any embedding.

    Raises
    ------
    ExportError
        When it exceeds 1e-5.
    """
    x = torch.tensor(slices, dtype=torch.float32)
    with _quiet():
        torch.onnx.export(
            network,
            (x[:2],),
            file,
            input_names=["slices"],
            output_names=["embedding"],
            dynamic_axes={"slices": {0: "n"}, "embedding": {0: "n"}},
            dynamo=False,  # a twentieth of the other exporter's time for the same graph
        )
    with torch.no_grad():
        expected = network(x).numpy()
    return _checked([expected], OnnxModel(file)(slices), ENCODER_TOLERANCE, file)


def export_classifier(
    classifier: Pipeline | Discriminant | Forest | TrainedEvidence,
    file: Path,
    examples: Array,
    *,
    single: bool = False,
    fed: Array | None = None,
) -> float:
    """Write a classifier and compare its probabilities.

    Parameters
    ----------
    classifier : Pipeline, Discriminant, Forest or TrainedEvidence
        As `models.training.classifiers.fit_discriminant` returns it, or
        `models.training.forest.fit_forest`, or `models.training.evidence.fit_evidence`.
    file : Path
        The ``.onnx`` file.
    examples : ndarray, shape (n, features)
        Windows or frames to compare on.
    single : bool
        The graph takes single precision: trees of scikit-learn round their examples to it
        before they compare, and so must the graph.
    fed : ndarray, shape (n, features), optional
        The same as another graph makes them, where one comes first in a session.

    Returns
    -------
    float
        Largest difference in any probability.

    Raises
    ------
    ExportError
        When it exceeds 1e-5, or 1e-4 with another graph in front: skl2onnx is silently wrong
        for some classifiers.
    """
    if isinstance(classifier, Discriminant):
        graph = _discriminant_graph(classifier)
    elif isinstance(classifier, TrainedEvidence):
        graph = _evidence_graph(classifier)
    else:
        logging.getLogger("skl2onnx").setLevel(logging.ERROR)
        tensor = FloatTensorType if single else DoubleTensorType
        pipeline = classifier.pipeline if isinstance(classifier, Forest) else classifier
        graph = to_onnx(
            pipeline,
            initial_types=[("features", tensor([None, examples.shape[1]]))],
            options={id(pipeline[-1]): {"zipmap": False}},
        )
        if isinstance(classifier, Forest):
            _add_a_tree(graph.graph, classifier)
    file.write_bytes(graph.SerializeToString())
    expected = classifier.predict_proba(examples)
    found = OnnxModel(file)(examples if fed is None else fed)[-1]
    tolerance = CLASSIFIER_TOLERANCE if fed is None else EMBEDDED_TOLERANCE
    return _checked([expected], [found], tolerance, file)


def _add_a_tree(graph: onnx.GraphProto, forest: Forest) -> None:
    """Append what `Forest.predict_proba` does after the trees."""
    name, votes = graph.output[-1].name, "votes"
    for node in graph.node:
        for names in (node.input, node.output):
            for number, one in enumerate(names):
                if one == name:
                    names[number] = votes
    for constant in ("share", "rest"):
        value = np.array(getattr(forest, constant), dtype=np.float32)
        graph.initializer.append(numpy_helper.from_array(value, constant))
    graph.node.append(helper.make_node("Mul", [votes, "share"], ["weighted"]))
    graph.node.append(helper.make_node("Add", ["weighted", "rest"], [name]))


def _discriminant_graph(classifier: Discriminant) -> onnx.ModelProto:
    """Write the formula of a discriminant as a graph in double precision, its scales folded in."""
    steps = [
        helper.make_node("Gemm", ["features", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["groups"], axis=1),
        helper.make_node("MatMul", ["groups", "members"], ["probabilities"]),
    ]
    columns, classes = len(classifier.mean), classifier.members.shape[1]
    return _model("discriminant", steps, classifier.folded(), columns, classes)


def _evidence_graph(classifier: TrainedEvidence) -> onnx.ModelProto:
    """Write one linear layer as a graph in double precision."""
    steps = [
        helper.make_node("MatMul", ["features", "weights"], ["evidence"]),
        helper.make_node("Softmax", ["evidence"], ["probabilities"], axis=1),
    ]
    return _model("evidence", steps, {"weights": classifier.weights}, *classifier.weights.shape)


def _model(
    name: str,
    steps: list[onnx.NodeProto],
    constants: dict[str, Array],
    columns: int,
    classes: int,
) -> onnx.ModelProto:
    """Make a model of nodes: features (n, columns) in, probabilities (n, classes) out."""
    graph = helper.make_graph(
        steps,
        name,
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, [None, columns])],
        [helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, classes])],
        [
            numpy_helper.from_array(np.asarray(one, dtype=np.float64), name)
            for name, one in constants.items()
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what an exporter says of itself: deprecations, torchvision."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _checked(expected: list[Array], found: list[Array], tolerance: float, file: Path) -> float:
    largest = max(float(np.abs(a - b).max()) for a, b in zip(expected, found, strict=True))
    if not largest <= tolerance:
        raise ExportError(
            f"difference between the trained model and {file.name}",
            value=f"{largest:.2g}",
            allowed=f"at most {tolerance:g}",
            way_out="report this, with the versions of torch, scikit-learn and skl2onnx",
        )
    return largest
