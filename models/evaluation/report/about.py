"""What figures rest on: data, settings, machine, versions. No names of people or machines."""

import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from models.evaluation.code import versions
from models.evaluation.inventory import Inventory
from models.evaluation.study import Study


def about(study: Study, inventory: Inventory, code: str, wall_s: float) -> dict[str, Any]:
    """Describe how an experiment was run.

    Parameters
    ----------
    study : Study
        With the count of this experiment's jobs alone.
    inventory : Inventory
        Of the corpus.
    code : str
        Digest of the experiment's code.
    wall_s : float
        What it took this time.

    Returns
    -------
    dict
        Of plain types.
    """
    settings = study.settings
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "configuration": {
            "size": settings.size,
            "seed": settings.seed,
            "sessions": list(settings.sessions) or "all",
            "device": study.material.device,
            "workers": study.workers if study.cluster is None else "a Dask cluster",
        },
        "versions": {"streamer": version("streamer")} | versions(),
        "machine": _machine(study.material.device),
        "run": {
            "wall_s": round(wall_s, 1),
            "job_s": round(study.job_seconds, 1),
            "jobs": study.jobs,
            "kept_jobs": study.kept_jobs,
        },
        "data": asdict(inventory),
        "code": code,
    }


def _machine(device: str) -> dict[str, Any]:
    """Describe the machine that started the jobs."""
    found: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    return found
