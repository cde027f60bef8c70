"""Experiments one after the other; what one found is written before the next begins."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.errors import RecordingError, StreamerError
from drivers.outside.own_directory import own_directory
from models.evaluation import experiments
from models.evaluation.code import code_digest
from models.evaluation.directory import Directory, open_directory
from models.evaluation.inventory import take_inventory
from models.evaluation.material import Material, analyse
from models.evaluation.part import Part, figures_of
from models.evaluation.report.about import about
from models.evaluation.report.content import Content, content_of
from models.evaluation.report.html import write_html
from models.evaluation.report.markdown import write_markdown
from models.evaluation.settings import EvaluationSettings
from models.evaluation.study import JobError, Study, fingerprint_of
from models.evaluation.workers import device_of
from models.training.progress import Progress

ALL = "all"


def names_of(wanted: Sequence[str]) -> tuple[str, ...]:
    """Say which experiments are meant.

    Parameters
    ----------
    wanted : sequence of str
        Their names, or ``"all"``.

    Returns
    -------
    tuple of str
        In the order of the report.

    Raises
    ------
    StreamerError
        There is no such experiment.
    ModuleNotFoundError
        A library that one of them needs is not installed.
    """
    unknown = [name for name in wanted if name not in (ALL, *experiments.EXPERIMENTS)]
    names = [name for name in experiments.EXPERIMENTS if ALL in wanted or name in wanted]
    for name in (*unknown, *names):
        experiments.experiment(name)
    return tuple(names)


def start_study(
    corpus: Path,
    settings: EvaluationSettings,
    out: Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    progress: Progress = lambda what, done, total: None,
) -> tuple[Study, Directory]:
    """Open a corpus and the directory of its evaluation.

    Parameters
    ----------
    corpus : Path
        In the layout of EMG-UKA.
    settings : EvaluationSettings
        Size and seed.
    out : Path
        New, or of an earlier call with the same corpus and settings, which goes on.
    workers : int
        Processes at once.
    cluster : str, optional
        Address of a Dask scheduler.
    device : str
        Of PyTorch: ``"auto"``, ``"cpu"``, ``"cuda"``.
    progress : callable
        Told what is being done.

    Returns
    -------
    Study, Directory
        For `evaluate`.

    Raises
    ------
    StreamerError
        One of them cannot be used.
    """
    settings = replace(settings, sessions=tuple(sorted(set(settings.sessions))))
    material = Material.of(corpus, settings.sessions)
    device = device_of(device, cluster)
    corpus_print = fingerprint_of(material)
    directory = open_directory(
        out,
        {
            "corpus": f"{material.corpus.name} ({corpus_print[:12]})",
            "sessions": list(settings.sessions),
            "size": settings.size,
            "seed": settings.seed,
        },
    )
    # Analysed sessions belong to the code that analysed them.
    key = hashlib.sha256((code_digest(analyse) + corpus_print).encode()).hexdigest()
    store = directory.cache / "sessions" / key[:16]
    with _writing(out):
        own_directory(directory.cache)
        own_directory(store)
    material = replace(material, store=store.resolve(), device=device)
    study = Study(material, settings, directory.cache, workers, cluster, progress)
    return study, directory


def evaluate(
    study: Study,
    names: Sequence[str],
    directory: Directory,
    ended: Callable[[Part], None] = lambda part: None,
) -> Content:
    """Run experiments, and write each one's files and the report as soon as it is done.

    Parameters
    ----------
    study : Study
        What they are given.
    names : sequence of str
        Experiments.
    directory : Directory
        Where the files go. Experiments that are there from earlier stay in the report.
    ended : callable
        Told of each experiment.

    Returns
    -------
    Content
        Of the report.

    Raises
    ------
    StreamerError
        The corpus, the workers or the directory cannot be used; or, once all others are done,
        some experiments failed, for want of data among other reasons.
    """
    functions = [experiments.experiment(name) for name in names]
    inventory = take_inventory(study)
    study.material = replace(study.material, sessions=tuple(inventory.sessions))
    failed: list[Path] = []
    too_little: list[str] = []
    for name, function in zip(names, functions, strict=True):
        study.jobs, study.kept_jobs, study.job_seconds = 0, 0, 0.0
        began_s = time.monotonic()
        try:
            findings = function(study)
        except (JobError, RecordingError) as error:  # no reason to keep the others waiting
            if isinstance(error, RecordingError):
                too_little.append(f"{name}: {error}")
            failed.append(directory.path / f"{name}.error.txt")
            with _writing(directory.path):
                failed[-1].write_text(f"{error}\n", encoding="utf-8")
            continue
        wall_s = time.monotonic() - began_s
        part = Part(findings, about(study, inventory, code_digest(function), wall_s))
        with _writing(directory.path):
            directory.write(part)
            report(directory)
        ended(part)
    if failed:
        raise StreamerError(
            "experiments that failed",
            value=", ".join(file.name.removesuffix(".error.txt") for file in failed)
            + "".join(f" ({reason})" for reason in too_little[:1]),
            way_out=f"{failed[0]} says why; the others are in the report, and the same command "
            "tries these again",
        )
    return report(directory)


def report(directory: Directory) -> Content:
    """Write the report of all experiments that a directory holds.

    Parameters
    ----------
    directory : Directory
        Of an evaluation.

    Returns
    -------
    Content
        What stands in it.
    """
    parts = directory.read(experiments.EXPERIMENTS)
    outdated = [part.findings.name for part in parts if _outdated(part)]
    content = content_of(parts, outdated)
    write_markdown(content, directory.path)
    write_html(content, directory.path / "report.html")
    return content


def figures(directory: Directory) -> dict[str, Any]:
    """Return the figures of all experiments that a directory holds, by experiment."""
    return {
        part.findings.name: figures_of(part) for part in directory.read(experiments.EXPERIMENTS)
    }


def _outdated(part: Part) -> bool:
    """Tell whether today's code or libraries would perhaps find something else."""
    digest: str = part.about["code"]
    return digest != code_digest(experiments.experiment(part.findings.name))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StreamerError(
            f"{path} cannot be written: {error.strerror or error}",
            way_out="choose an --out that you may write to",
        ) from error
