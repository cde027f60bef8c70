"""A simulated corpus in the layout of the EMG-UKA Trial Corpus.

Everything that runs on the corpus runs on it. Sessions are called 101-001 and so on,
which no session of the corpus is, and a README says what they are.
"""

import math
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path

from drivers.errors import StreamerError
from drivers.recordings.emg_uka.corpus import SIMULATED
from drivers.recordings.recording import SpeakingMode, Split
from drivers.simulator.phones import PHONE_LIST
from drivers.simulator.sentences import TEST_SENTENCES, TRAINING_SENTENCES
from drivers.simulator.speakers import VOICES, Session, generator, make_session, make_speaker
from drivers.simulator.speech import require_synthesiser
from drivers.simulator.utterance import Plan, write_utterance

MODES: tuple[SpeakingMode, ...] = ("audible", "whispered", "silent")
SPLITS: tuple[Split, ...] = ("train", "test")


@dataclass(frozen=True)
class SimulatedCorpus:
    """What a simulated corpus holds.

    Attributes
    ----------
    speakers : int
        Number of speakers: 101, 102, ...
    sessions : int
        Recording sessions of each speaker, all modes in each.
    train_utterances, test_utterances : int
        Of each session and mode.
    first_train_sentence : int
        Number of the first training sentence used, from 0: two corpora can keep theirs
        apart. The test sentences are the first ones, the same everywhere.
    seed : int
        Same seed, same speakers, sessions and utterances.
    """

    speakers: int = 3
    sessions: int = 2
    train_utterances: int = 40
    test_utterances: int = 10
    first_train_sentence: int = 0
    seed: int = 2020

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        for name, low, high in (
            ("speakers", 1, len(VOICES)),
            ("sessions", 1, 99),
            ("test_utterances", 0, len(TEST_SENTENCES)),
            ("train_utterances", 0, len(TRAINING_SENTENCES)),
            ("first_train_sentence", 0, len(TRAINING_SENTENCES) - self.train_utterances),
            ("seed", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise StreamerError(
                    f"{name} of a simulated corpus", value=value, allowed=f"{low} to {high}"
                )


SMALL = SimulatedCorpus(sessions=1, train_utterances=2, test_utterances=2, first_train_sentence=40)
"""What comes with the package: sentences and utterances that `TRAINING` never trains on."""

TRAINING = SimulatedCorpus()
"""What the bundle that comes with the package is trained on; the speakers of `SMALL`."""


@dataclass(frozen=True)
class CorpusSummary:
    """What was written.

    Attributes
    ----------
    sessions, utterances : int
        How many.
    seconds : float
        Of EMG between the offsets, all together.
    size_bytes : int
        Of all files.
    """

    sessions: int
    utterances: int
    seconds: float
    size_bytes: int


def write_corpus(
    dest: Path,
    settings: SimulatedCorpus,
    progress: Callable[[int, int], None] | None = None,
) -> CorpusSummary:
    """Write a simulated corpus.

    Parameters
    ----------
    dest : Path
        Directory to create; it appears when it is complete.
    settings : SimulatedCorpus
        What to simulate, such as `SMALL` or `TRAINING`.
    progress : callable, optional
        Called in this thread with utterances done and utterances in all.

    Returns
    -------
    CorpusSummary
        What was written.

    Raises
    ------
    StreamerError
        When `dest` exists or cannot be written, or the synthesiser is missing.
    """
    require_synthesiser()
    if dest.exists():
        raise StreamerError(
            "directory for the simulated corpus",
            value=f"{dest} exists",
            way_out="name one that does not: nothing is overwritten",
        )
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{dest.name}-", dir=dest.parent) as folder:
            partial = Path(folder) / dest.name
            partial.mkdir()
            plans = plan_corpus(settings)
            seconds = _write_utterances(partial, plans, progress)
            _write_subsets(partial, plans)
            (partial / SIMULATED).write_text("Nobody was recorded here, see README.txt.\n")
            _write_supplementary(partial, settings)
            partial.rename(dest)
    except OSError as error:
        raise StreamerError(
            "simulated corpus cannot be written", value=f"{dest}: {error.strerror}"
        ) from error
    return CorpusSummary(
        sessions=len({plan.session.name for plan in plans}),
        utterances=len(plans),
        seconds=seconds,
        size_bytes=sum(file.stat().st_size for file in dest.rglob("*") if file.is_file()),
    )


def plan_corpus(settings: SimulatedCorpus) -> list[Plan]:
    """List the utterances of a corpus.

    Each mode is a block of its own, as in the corpus: the blocks' order differs by
    session, the sentences' order by mode. The name of an utterance depends on the seed,
    the session, the mode and the sentence alone.

    Parameters
    ----------
    settings : SimulatedCorpus
        What to simulate.

    Returns
    -------
    list of Plan
        In the order of their names.
    """
    first = settings.first_train_sentence
    split_of: dict[str, Split] = {}
    for sentence in TRAINING_SENTENCES[first : first + settings.train_utterances]:
        split_of[sentence] = "train"
    for sentence in TEST_SENTENCES[: settings.test_utterances]:
        split_of[sentence] = "test"
    plans = [
        Plan(settings.seed, session, mode, split_of[sentence], number, sentence)
        for session in _sessions(settings)
        for mode, number, sentence in _running_order(settings.seed, session)
        if sentence in split_of
    ]
    return sorted(plans, key=lambda plan: plan.name)


def _sessions(settings: SimulatedCorpus) -> list[Session]:
    speakers = [make_speaker(settings.seed, index) for index in range(settings.speakers)]
    return [
        make_session(settings.seed, speaker, number)
        for speaker in speakers
        for number in range(1, settings.sessions + 1)
    ]


def _running_order(seed: int, session: Session) -> list[tuple[SpeakingMode, int, str]]:
    """Return mode, number and sentence of all that could be said in a session."""
    rng = generator(seed, "order", session.name)
    sentences = TEST_SENTENCES + TRAINING_SENTENCES
    return [
        (MODES[mode], 100 * block + place, sentences[sentence])
        for block, mode in enumerate(rng.permutation(len(MODES)), start=1)
        for place, sentence in enumerate(rng.permutation(len(sentences)))
    ]


def _write_utterances(
    root: Path, plans: list[Plan], progress: Callable[[int, int], None] | None
) -> float:
    """Write all utterances, as many at a time as there are cores; return their seconds."""
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        jobs = [pool.submit(write_utterance, root, plan) for plan in plans]
        for n_done, job in enumerate(as_completed(jobs), start=1):
            job.result()  # raises what went wrong there
            if progress is not None:
                progress(n_done, len(plans))
        return math.fsum(job.result() for job in jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def _write_subsets(root: Path, plans: list[Plan]) -> None:
    folder = root / "Subsets"
    folder.mkdir()
    names = sorted({plan.session.name for plan in plans})
    for split in SPLITS:
        for mode in MODES:
            lines = []
            for session in names:
                chosen = [
                    f"emg_{plan.name}"
                    for plan in plans
                    if (plan.session.name, plan.split, plan.mode) == (session, split, mode)
                ]
                lines.append(f"emg_{session}: {' '.join(chosen)}\n")
            (folder / f"{split}.{mode}").write_text("".join(lines), encoding="ascii")


def _write_supplementary(root: Path, settings: SimulatedCorpus) -> None:
    folder = root / "Supplementary"
    folder.mkdir()
    (folder / "phoneList").write_text(" ".join(PHONE_LIST) + "\n", encoding="ascii")
    values = "".join(
        f"    {field.name}: {getattr(settings, field.name)}\n" for field in fields(settings)
    )
    (root / "README.txt").write_text(
        "Simulated recordings: nobody spoke here. Synthetic speech of espeak-ng and EMG made\n"
        "from its phones, in the layout of the EMG-UKA Trial Corpus; sessions 101-001 and so\n"
        "on are no sessions of that corpus. Written by streamer (drivers/simulator) with\n"
        + values,
        encoding="ascii",
    )
