"""A manifest says what stands in for a channel that fails, or nothing, as those from before."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.bundle import Bundle, packaged_bundle
from models.manifest import Manifest, StandInPart

Change = Callable[[dict[str, Any]], object]


def part(features: int = 9, channels: int = 6) -> dict[str, Any]:
    level = np.arange(features * channels, dtype=float).reshape(features, channels)
    covariance = np.tile(np.eye(channels), (features, 1, 1))
    return {"kind": "others", "level": level.tolist(), "covariance": covariance.tolist()}


def manifest(stand_in: dict[str, Any] | None) -> Manifest:
    content = json.loads((packaged_bundle() / "manifest.json").read_text("utf-8"))
    return Manifest.model_validate(content | {"stand_in": stand_in})


def test_a_stand_in_of_the_same_frames_is_taken() -> None:
    """Training would write what no session reads."""
    found = manifest(part()).stand_in
    assert found is not None
    assert found.fits(9, 6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda one: one.update(kind="others", covariance=None), "belong together"),
        (lambda one: one.update(kind="mean"), "belong together"),
        (lambda one: one["level"].pop(), "9 features in each of 6 channels"),
        (lambda one: one["level"][3].pop(), "9 features in each of 6 channels"),
        (lambda one: one["covariance"].pop(), "9 features in each of 6 channels"),
        (lambda one: one["covariance"][2].pop(), "9 features in each of 6 channels"),
        (lambda one: one["covariance"][2][1].append(0.0), "9 features in each of 6 channels"),
        (lambda one: one["level"][0].__setitem__(0, float("nan")), "level.0.0"),
        (lambda one: one["level"][0].__setitem__(0, 1e300), "level.0.0"),
        (lambda one: one.update(kind="median"), "kind"),
    ],
)
def test_one_that_does_not_fit_is_refused(change: Change, named: str) -> None:
    """A channel would be replaced by another one's features, or by no numbers, in mid-session."""
    changed = part()
    change(changed)
    with pytest.raises(ValidationError) as caught:
        manifest(changed)
    error = caught.value.errors()[0]
    assert named in ".".join(map(str, error["loc"])) + error["msg"]


def test_a_bundle_from_before_takes_the_mean_of_the_others() -> None:
    """What was trained last year must not fall silent with an electrode."""
    bundle = Bundle(packaged_bundle(), manifest(None))
    frames = np.random.default_rng(0).normal(0, 1, (3, 54))
    replaced = bundle.stand_in().process(frames, np.tile(np.arange(6) == 0, (3, 1)))
    np.testing.assert_allclose(replaced[:, 0], frames[:, 5:30:5].mean(axis=1))
    np.testing.assert_allclose(replaced[:, 30], frames[:, 34:54:4].mean(axis=1))


def test_any_covariance_gives_numbers() -> None:
    """A manifest that somebody wrote must not end a session in a traceback."""
    values = part()
    values["covariance"] = np.random.default_rng(0).normal(0, 1e3, (9, 6, 6)).tolist()
    operator = StandInPart.model_validate(values).build(6, (5, 4))
    frames = np.random.default_rng(0).normal(0, 1, (1, 54))
    assert np.isfinite(operator.process(frames, np.arange(6)[np.newaxis] < 3)).all()
