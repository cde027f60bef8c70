"""Trained models to ONNX, each compared with its original before it is kept."""

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.pipeline import Pipeline

from drivers.errors import StreamerError
from models.inference import OnnxModel
from models.signal.operator import Array
from models.training.network import ConverterNetwork

CONVERTER_TOLERANCE = 1e-4
CLASSIFIER_TOLERANCE = 1e-5


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
    # What the exporter says of itself (deprecations, torchvision) is nothing to a user.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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


def export_classifier(pipeline: Pipeline, file: Path, examples: Array) -> float:
    """Write a calibrated classifier and compare its probabilities.

    Parameters
    ----------
    pipeline : Pipeline
        As `models.training.classifiers.fit_discriminant` returns it.
    file : Path
        The ``.onnx`` file.
    examples : ndarray, shape (n, features)
        Windows or frames to compare on.

    Returns
    -------
    float
        Largest difference in any probability.

    Raises
    ------
    ExportError
        When it exceeds 1e-5: skl2onnx is silently wrong for some classifiers.
    """
    classifier = pipeline[-1]
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    graph = to_onnx(
        pipeline,
        initial_types=[("features", DoubleTensorType([None, examples.shape[1]]))],
        options={id(classifier): {"zipmap": False}},
    )
    file.write_bytes(graph.SerializeToString())
    expected = pipeline.predict_proba(examples)
    found = OnnxModel(file)(examples)[-1]
    return _checked([expected], [found], CLASSIFIER_TOLERANCE, file)


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
