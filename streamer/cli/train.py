"""``streamer train``: a corpus to a bundle."""

from dataclasses import replace
from pathlib import Path

import click

from drivers.errors import StreamerError
from streamer.cli.options import as_json, configured, note, print_json, say


class TrainingError(StreamerError):
    """Training cannot begin."""


@click.command()
@click.argument("corpus", type=Path)
@click.option("--session", metavar="ID", help="Recording session of the voice, as 002-001.")
@click.option("--out", metavar="BUNDLE", type=Path, required=True, help="Directory to write.")
@as_json
@configured
def train(
    corpus: Path,
    session: str | None,
    out: Path,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Train models on a corpus.

    They are written as a bundle, a directory that `replay` and `live` take.

    The voice is learned from the audible training subsets of all sessions and then from that
    of its own, the speaker from all of them, the mode from those with several. Test subsets are
    never read. What is learned from all sessions takes longest; with train.base it is learned
    once for all bundles, and for sessions of other days, whatever they are.

    \b
    Examples:
      streamer train data/emg-uka --session 002-001 --out bundles/002-001
      streamer train data/emg-uka --session 008-001 --out bundles/008-001 \\
        --set train.base=bundles/base.npz
      streamer train data/emg-uka --session 002-001 --out bundles/live --config configs/live.yaml
      streamer train data/emg-uka --session 002-001 --out bundles/three \\
        --set "train.speakers=[evidence,lda,forest,embedding]"
    """  # noqa: D301 - \b is click's, not Python's
    from models.signal.conditioning import ConditioningSettings
    from models.signal.filters import NotchSettings
    from models.signal.stacking import StackingSettings
    from streamer.cli.cautions import of_training, unlearned, unsure
    from streamer.cli.ending import clean_up_on_interrupt
    from streamer.cli.progress import shown_progress
    from streamer.config import load_config

    settings = load_config(config_file, assignments, {"train.session": session}).train
    if settings.session is None:
        raise click.UsageError("Missing option '--session'", click.get_current_context())
    try:
        from models.training.causal import CausalSettings
        from models.training.examples import LOW_DELAY, SignalSettings
        from models.training.network import ConverterSettings
        from models.training.settings import EMBEDDING, TrainingSettings
        from models.training.train import train_bundle
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"training needs {error.name}, which is not installed",
            way_out="install the extra: pip install -c constraints.txt -e '.[train]'",
        ) from error
    converter: CausalSettings | ConverterSettings
    if settings.converter == "causal":
        converter = CausalSettings(
            width=settings.width or CausalSettings.width,
            future=settings.future,
            lead_ms=settings.lead_ms,
            seed=settings.seed,
        )
    else:
        converter = ConverterSettings(
            stacking=StackingSettings(settings.past, settings.future),
            lead_ms=settings.lead_ms,
            seed=settings.seed,
        )
    if settings.epochs is not None:
        converter = replace(converter, epochs=settings.epochs)
    notch = None if settings.notch == "off" else NotchSettings(hum_hz=settings.notch)
    training = TrainingSettings(
        signal=replace(
            LOW_DELAY if settings.low_delay else SignalSettings(),
            conditioning=ConditioningSettings(notch=notch),
        ),
        converter=converter,
        others=settings.others,
        base=settings.base,
        speakers=settings.speakers,
        embedding=replace(EMBEDDING, seed=settings.seed),
    )
    base = settings.base if settings.base is not None and settings.base.exists() else None
    clean_up_on_interrupt()
    with shown_progress() as progress:
        manifest = train_bundle(corpus, settings.session, out, training, progress)
    for line in (*of_training(manifest, base), *unlearned(manifest), *unsure(manifest)):
        note(line)
    figures = manifest.model_dump(mode="json")["figures"]
    if json_:
        print_json({"bundle": str(out), "session": settings.session, "figures": figures})
        return
    for part, values in figures.items():
        said = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        if said:
            say(f"{part:10} {said}".replace("_", " "))
    say(f"bundle     {out}")
