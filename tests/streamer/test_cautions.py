"""What a person should know of a bundle before believing what comes of it."""

from pathlib import Path

import pytest

from models.bundle import Bundle, packaged_bundle
from streamer.cli.cautions import of_training, unsure


def _with(**figures):
    manifest = Bundle.open(packaged_bundle()).manifest
    return manifest.model_copy(update={"figures": {**manifest.figures, **figures}})


@pytest.mark.parametrize(
    ("activity", "cautioned"),
    [
        ({"false_activations_per_min": 36.0, "false_speech": 0.05}, False),
        ({"false_activations_per_min": 80.0, "false_speech": 0.05}, True),
        ({"false_activations_per_min": 0.0, "false_speech": 1.0}, True),  # it never closes
        ({}, False),
        ([], False),
        ({"false_activations_per_min": "many"}, False),
    ],
)
def test_a_gate_that_babbles_is_cautioned(activity, cautioned):
    """A voice where nobody speaks looks like a broken converter."""
    lines = unsure(_with(activity=activity))
    assert len(lines) == cautioned
    assert all("train on more utterances" in line for line in lines)


def test_clipped_audio_is_cautioned():
    """The voice learns how it sounds, and nobody would look at the microphone."""
    assert of_training(_with(clipped_utterances={}), None) == []
    [line] = of_training(_with(clipped_utterances={"002-101": 518}), None)
    assert "518 of 002-101" in line


def test_what_a_base_has_learned_from_is_said():
    """Whoever takes the base of another corpus should see it."""
    manifest = _with(converter={"held_out_known_to_base": 2.0})
    provenance = manifest.provenance.model_dump()
    provenance["converter_data"]["learned_first_from"] = {"002-001": 36, "008-001": 40}
    provenance = type(manifest.provenance).model_validate(provenance)
    manifest = manifest.model_copy(update={"provenance": provenance})
    first, second = of_training(manifest, Path("base.npz"))
    assert "base.npz: has learned from 002-001 (36), 008-001 (40)" in first
    assert "flatters" in second
