"""EMG to speech: section 3 of the paper, its figure 2, and what goes beyond them."""

from models.evaluation.conversion.base import base_of
from models.evaluation.conversion.figures import figures_of
from models.evaluation.conversion.jobs import Silent, paper_session, session_of
from models.evaluation.conversion.presentation import drawing_of_ccc, tables_of
from models.evaluation.conversion.settings import conversion_settings
from models.evaluation.findings import Findings, as_text
from models.evaluation.material import Material
from models.evaluation.study import Study


def conversion(study: Study) -> Findings:
    """Train converters on every session and measure them on its test subsets.

    Parameters
    ----------
    study : Study
        The evaluation.

    Returns
    -------
    Findings
        ``audible.<setting>``, ``whispered.audible_trained``, ``silent.audible_trained``,
        ``silent.silent_trained``, each with its sessions; see `figures.figures_of`.
    """
    settings = conversion_settings(study.settings)
    ours = {"symmetric": settings.symmetric, "causal": settings.causal}
    names = study.material.sessions
    bases = study.run("converters: all sessions", base_of, [(one,) for one in ours.values()])
    jobs = [
        (name, one, base, Silent())
        for one, base in zip(ours.values(), bases, strict=True)
        for name in names
    ]
    results = study.run("converters: each session", session_of, jobs)
    rows = {
        setting: dict(zip(names, results[k * len(names) : (k + 1) * len(names)], strict=True))
        for k, setting in enumerate(ours)
    }
    of_paper = study.run(
        "converters: the paper's", paper_session, [(name, settings.paper) for name in names]
    )
    rows["paper"] = dict(zip(names, of_paper, strict=True))
    figures = figures_of(rows)
    found = Findings("conversion", "EMG to speech", figures, tables_of(figures))
    drawing = drawing_of_ccc(figures)
    if drawing is not None:
        found.drawings.append(drawing)
    untrained = [name for name, one in rows["causal"].items() if one is None]
    if untrained:
        lacking = ", ".join(map(as_text, untrained))
        found.missing.append(f"No audible training utterance with sound: {lacking}.")
    for mode in ("whispered", "silent"):
        if "audible_trained_as_is" not in figures[mode]:
            found.missing.append(f"No {mode} test speech with the same sentences audible.")
    if not any("silent.silent_trained" in (one or {}) for one in rows["causal"].values()):
        found.missing.append("No silent training speech with the same sentences audible.")
    if figures["audible"]["causal"] is None:
        found.missing.append("No session has audible test utterances with sound.")
    found.differs += [_overlap(study.material), *_DIFFERS]
    if study.settings.size == "default":
        found.differs.append(
            "To save time the paper's network sees a million frames at the most: a session of "
            "five hundred utterances is passed over 5 times instead of 17, but with `--full`."
        )
    found.tuned += _TUNED
    return found


def _overlap(material: Material) -> str:
    """Count the test sentences that are in a training subset too: the shared network knows them."""
    said: dict[str, set[str]] = {"train": set(), "test": set()}
    for session in material.all_sessions():
        for split, sentences in said.items():
            every = session.subset(split, "audible")
            sentences |= {one.transcript for one in every if one.transcript is not None}
    known = len(said["train"] & said["test"])
    return (
        f"{known} of {len(said['test'])} audible test sentences occur in an audible training subset"
        f"{' of some session: figures of ours are too good by that' if known else ''}."
    )


_DIFFERS = [
    "The paper trains on one session alone; ours learns from the audible training subsets of all "
    "sessions first. The row *the paper's network, here* is session-dependent: TD-15, "
    "1024-256-1024, the mean of each utterance removed.",
    "A bundle of `streamer train` learns from all sessions less an eighth of the training "
    "sentences, which give its manifest a held-out figure; here the network of all sessions learns "
    "from them, too.",
    "Widths of the paper's second and third layer are not stated; 256 and 1024 are ours.",
    "*Trained on audible speech, rescaled*: features of silent (whispered) EMG are scaled by mean "
    "and spread of the EMG of the mode's own training subset, unlabelled. The paper does not; "
    "the rows *as it is* are its protocol, with our network and with its own.",
    "*Trained on silent speech* and whispered speech are not in the paper.",
]
_TUNED = [
    "Network, features and training were chosen on held-out *sentences* of the audible training "
    "subsets of nine sessions of the trial corpus, left out of every session at once (see *Search "
    "for a converter*); that silent speech is aligned twice, on those of one silent training "
    "subset.",
    "That rescaling helps was found on silent *training* utterances, of which no network had "
    "learned. It was looked for after the test figures of the rows *as it is* were seen.",
]
