"""Jobs and experiments that workers of other processes import, too."""

import os
import time
from pathlib import Path

import numpy as np
import torch

from drivers.errors import StreamerError
from models.evaluation.findings import Drawing, Findings, Table
from models.evaluation.material import Material
from models.evaluation.study import Study

SVG = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    '<metadata>made today</metadata><path id="p" d="M0 0h9" clip-path="url(#p)"/></svg>'
)


def project(material: Material, session: str, seed: int) -> np.ndarray:
    """Numbers that depend on the recordings, on random weights and on torch."""
    frames = np.concatenate([one.emg.frames for one in material.session(session).utterances])
    torch.manual_seed(seed)
    layer = torch.nn.Linear(frames.shape[1], 64)
    with torch.no_grad():
        return layer(torch.as_tensor(frames, dtype=torch.float32)).mean(dim=0).numpy()


def stamped(material: Material, folder: Path, number: int) -> int:
    """Leave a mark at each call."""
    with (folder / f"{number}").open("a") as marks:
        marks.write("x")
    return 10 * number


def doubled(material: Material, number: int) -> int:
    return 2 * number


def squared(material: Material, number: int) -> int:
    return number**2


def process(material: Material, folder: Path, number: int) -> int:
    """Say in which process it ran, once two have begun with jobs."""
    (folder / f"{os.getpid()}").touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.02)
    return os.getpid()


def failing(material: Material, folder: Path, number: int) -> int:
    if number == 1:
        raise StreamerError("the first\nthing", value=1)
    if number == 2:
        raise ZeroDivisionError("the second")
    return stamped(material, folder, number)


def dying(material: Material, number: int) -> None:
    os._exit(1)


def gated(material: Material, folder: Path, number: int) -> int:
    """From the third on wait until the gate is open."""
    while number >= 2 and not (folder / "open").exists():
        time.sleep(0.02)
    return stamped(material, folder, number)


def first(study: Study) -> Findings:
    """Find something in each session."""
    found = study.run(
        "projecting", project, [(one, study.settings.seed) for one in study.material.sessions]
    )
    means = {
        name: float(one.mean()) for name, one in zip(study.material.sessions, found, strict=True)
    }
    rows = tuple((name, mean, 6.48) for name, mean in means.items())
    return Findings(
        "first",
        "The first one",
        {"mean": float(np.mean(list(means.values()))), "sessions": means, "not_there": np.nan},
        [Table("Means", ("session", "mean", "paper"), rows, note="**All** of `it`.")],
        [Drawing("A line", SVG, "Straight.")],
        ["Fewer <sessions>."],
        ["Nothing."],
        ["Whispered speech."],
    )


def second(study: Study) -> Findings:
    """Wait at the gate, where there is one."""
    gate = os.environ.get("TOY_GATE")
    if gate:
        study.run("waiting", gated, [(Path(gate), number) for number in range(6)])
    return Findings("second", "The second one", {"one": 1})
