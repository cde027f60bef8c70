"""Which converter is best without look-ahead: each idea against what `streamer train` makes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.evaluation.findings import Findings, Table
from models.evaluation.material import Material
from models.evaluation.search.jobs import Idea, held_out_sentences, try_idea
from models.evaluation.settings import EvaluationSettings
from models.evaluation.study import Study
from models.signal.td_features import TDSettings
from models.training.causal import CausalSettings
from models.training.examples import SignalSettings
from models.training.network import ConverterSettings

MEASURED = 3
"""Sessions to measure on, spread over the speakers; all of them learn."""


PLAIN = SignalSettings(features=TDSettings(log=False))

SHORTER = 6
"""Networks see all sessions for so much less than those of `streamer train`, to save time."""

LEAST_STEPS = 4200
"""Of the reference on the nine sessions of the trial corpus, in its twenty passes."""


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
    held_out = held_out_sentences(study.material, study.settings.seed)
    measured = spread(measurable(study.material, held_out), MEASURED)
    found = Findings("search", "Search for a converter")
    results = tried(study, "ideas for the converter", ideas, measured, held_out)
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
            f"sessions at once; mean over {', '.join(results[0])}. One seed: less than 0.05 dB is "
            "noise. *Before its own session*: the network that learned from all sessions, "
            "before it learned from this one alone.",
        )
    )
    found.tuned.append(
        "What `streamer train` makes, the first row, was chosen on held-out training sentences of "
        "nine sessions of the trial corpus, in the way of this table. Test subsets were not read."
    )
    if study.settings.size == "default":
        found.tuned.append(
            "To save time, networks take a sixth of the steps of those of `streamer train` over "
            "all sessions, and all of those over their own. The feed-forward one, the paper's "
            "shape on log features without look-ahead, is trained in full. "
            "`--full` trains them as long. Where few sessions are learned from first, they are "
            "passed over so often that the steps are as many as for all."
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
    as_long = replace(usual, least_steps=LEAST_STEPS)
    if settings.size == "default":
        # Their own session in full: what is learned from others shows no sooner.
        usual = replace(usual, base_epochs=usual.base_epochs // SHORTER, least_steps=0)
        as_long = replace(usual, least_steps=LEAST_STEPS // SHORTER)
    plain, full = ConverterSettings(seed=settings.seed), settings.size == "full"
    if settings.size == "quick":
        tiny = replace(usual, width=16, base_epochs=1, base_cap=10, least_steps=0, epochs=1)
        return [Idea("reference", tiny), Idea("without bands", tiny, bands=False)]
    costly = [
        Idea("8 utterances in a step", replace(usual, base_batch=8)),
        Idea("mean of two networks", usual, networks=2),
    ]
    same_speaker = [Idea("sessions of the same speaker", as_long, others="speaker")]
    return [
        Idea("reference", usual),
        Idea("feed-forward on the session alone, past frames", bands=False, feedforward=plain),
        Idea("the session alone", as_long, others="none"),
        *(same_speaker if full else []),  # a base for each speaker
        Idea("without bands", usual, bands=False),
        Idea("plain TD features, without bands", usual, signal=PLAIN, bands=False),
        Idea("recurrent (GRU)", usual, variant="recurrent"),
        Idea("not augmented", usual, variant="unchanged"),
        Idea("several leads together", usual, variant="several leads"),
        Idea("mixture of densities", usual, variant="mixture"),
        Idea("256 channels instead of 192", replace(usual, width=256)),
        *(costly if full else []),
    ]


def tried(
    study: Study,
    what: str,
    ideas: Sequence[Idea],
    measured: tuple[str, ...],
    held_out: Sequence[str],
) -> list[dict[str, dict[str, float]]]:
    """Try ideas, those first that take longest.

    Parameters
    ----------
    study : Study
        The evaluation.
    what : str
        For the progress.
    ideas : sequence of Idea
        What is tried.
    measured, held_out
        As for `try_idea`.

    Returns
    -------
    list of dict
        Of each, in the order of the ideas.
    """
    order = sorted(range(len(ideas)), key=lambda k: -ideas[k].effort)
    jobs = [(ideas[k], measured, tuple(held_out)) for k in order]
    found = dict(zip(order, study.run(what, try_idea, jobs), strict=True))
    return [found[k] for k in range(len(ideas))]


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


def measurable(material: Material, held_out: tuple[str, ...]) -> dict[str, int]:
    """Count the training utterances of the sessions that have held-out sentences with sound.

    Parameters
    ----------
    material : Material
        The corpus.
    held_out : tuple of str
        Sentences.

    Returns
    -------
    dict of str to int
        By session.
    """
    sizes: dict[str, int] = {}
    for session in material.all_sessions():
        heard = [one for one in session.subset("train", "audible") if one.speech is not None]
        tested = sum(one.transcript in held_out for one in heard)
        if tested and len(heard) - tested > 1:
            sizes[session.name] = len(heard)
    return sizes


def _mean(result: dict[str, dict[str, float]], key: str) -> float | None:
    values: list[Any] = [one[key] for one in result.values() if key in one]
    return float(np.mean(values)) if values else None
