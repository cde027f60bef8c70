"""Which converter is best without look-ahead: each idea against what `streamer train` makes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from models.evaluation.findings import Findings, Table
from models.evaluation.search.jobs import Idea, held_out_sentences, try_idea
from models.evaluation.settings import EvaluationSettings
from models.evaluation.study import Study
from models.training.causal import CausalSettings
from models.training.network import ConverterSettings

MEASURED = 3
"""Sessions to measure on, spread over the speakers; all of them learn."""


def search(study: Study) -> Findings:
    """Try ideas for the causal converter on held-out training sentences.

    Parameters
    ----------
    study : Study
        The evaluation.

    Returns
    -------
    Findings
        ``ideas.<name>``: ``mcd_db`` (mean over sessions), ``gain_db`` against ``reference``, and
        ``sessions``.
    """
    ideas = ideas_of(study.settings)
    sizes = {one.name: len(one.subset("train", "audible")) for one in study.material.all_sessions()}
    measured = spread(sizes, MEASURED)
    held_out = held_out_sentences(study.material, study.settings.seed)
    found = Findings("search", "Search for a converter")
    results = study.run(
        "ideas for the converter", try_idea, [(one, measured, held_out) for one in ideas]
    )
    if not results[0]:
        found.missing.append("No session with enough audible training utterances with sound.")
        return found
    reference = _mean(results[0], "mcd_db")
    rows, figures = [], {}
    for idea, result in zip(ideas, results, strict=True):
        mean, before = _mean(result, "mcd_db"), _mean(result, "base_mcd_db")
        gain = None if mean is None or reference is None else reference - mean
        figures[idea.name] = {"mcd_db": mean, "gain_db": gain, "sessions": result}
        rows.append((idea.name, mean, None if idea is ideas[0] else gain, before))
    found.figures = {
        "reference": ideas[0].name,
        "held_out_sentences": len(held_out),
        "measured_sessions": list(measured),
        "ideas": figures,
    }
    found.tables.append(
        Table(
            "Each idea against the reference, held-out training sentences",
            ("", "MCD (dB)", "gain (dB)", "before its own session (dB)"),
            tuple(rows),
            digits=3,
            note=f"An eighth of the training *sentences* ({len(held_out)}) is held out of all "
            f"sessions at once; mean over {', '.join(measured)}. One seed: differences under 0.05 "
            "dB are noise. *Before its own session*: the network that learned from all sessions, "
            "before it learned from this one alone.",
        )
    )
    found.tuned.append(
        "What `streamer train` makes was chosen by this table: a causal network in the first row's "
        "way. Test subsets were not read."
    )
    if study.settings.size == "default":
        found.tuned.append(
            "To save time, networks here see all sessions a fifth as often as those of "
            "`streamer train`; `--full` trains them as long."
        )
    return found


def ideas_of(settings: EvaluationSettings) -> list[Idea]:
    """Return what is tried, the reference first.

    Parameters
    ----------
    settings : EvaluationSettings
        Size and seed.

    Returns
    -------
    list of Idea
        Two of them at size ``quick``.
    """
    usual = replace(CausalSettings(), seed=settings.seed)
    if settings.size == "default":
        usual = replace(usual, base_epochs=usual.base_epochs // 5, least_steps=0)
    plain = ConverterSettings(seed=settings.seed)
    if settings.size == "quick":
        tiny = replace(usual, width=16, base_epochs=1, base_cap=10, least_steps=0, epochs=1)
        return [Idea("reference", tiny), Idea("without bands", tiny, bands=False)]
    return [
        Idea("reference", usual),
        Idea("the paper's network, on its session alone", bands=False, feedforward=plain),
        Idea("the session alone", usual, others="none"),
        Idea("sessions of the same speaker", usual, others="speaker"),
        Idea("without bands", usual, bands=False),
        Idea("plain TD features, without bands", usual, bands=False, log=False),
        Idea("recurrent (GRU)", usual, variant="recurrent"),
        Idea("not augmented", usual, variant="unchanged"),
        Idea("8 utterances in a step", replace(usual, base_batch=8)),
        Idea("mean of two networks", usual, networks=2),
    ]


def spread(sizes: Mapping[str, int], count: int) -> tuple[str, ...]:
    """Choose some sessions, speaker by speaker, the smallest first: they take least time.

    Parameters
    ----------
    sizes : mapping of str to int
        Training utterances of the sessions to choose from.
    count : int
        How many.

    Returns
    -------
    tuple of str
        In the order of the corpus.
    """
    by_speaker: dict[str, list[str]] = {}
    for one in sorted(sizes, key=lambda name: (sizes[name], name)):
        by_speaker.setdefault(one.split("-")[0], []).append(one)
    turns = [
        one
        for turn in range(max(map(len, by_speaker.values()), default=0))
        for own in by_speaker.values()
        for one in own[turn : turn + 1]
    ]
    chosen = set(turns[:count])
    return tuple(sorted(chosen))


def _mean(result: dict[str, dict[str, float]], key: str) -> float | None:
    values: list[Any] = [one[key] for one in result.values() if key in one]
    return float(np.mean(values)) if values else None
