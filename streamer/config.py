"""All settings of a run: defaults, a YAML file, ``--set`` and flags, in this order."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from drivers.errors import StreamerError
from drivers.outside.settings import MOST_SECONDS, MOST_SEED, Settings
from drivers.outside.strict_json import write_whole
from drivers.outside.texts import parse_yaml, read_yaml
from drivers.varioport.emulator.pty import DEFAULT_LINK
from models.manifest import SpeakerMethod
from streamer.audio.settings import AudioSettings
from streamer.bench.settings import AcousticBench, DriversBench, EngineBench, SoakBench
from streamer.engine.decision import EstimateSettings
from streamer.engine.pipeline import PipelineSettings
from streamer.outlets import OutletSettings
from streamer.recordings import RecordingsSettings
from streamer.session import SessionSettings
from streamer.sources import LiveSettings

_LONGEST_KEY = 200


class ConfigError(StreamerError):
    """A setting does not exist, or has a value that it cannot have."""

    exit_code = 2


class ModelsSettings(Settings):
    """Which of a bundle's models run."""

    speaker: str | None = Field(
        default=None, description="lda, forest or embedding; null is the bundle's first"
    )


Speed = Annotated[float, Field(ge=0.001, le=1000)] | Literal["max"]


class ReplaySettings(Settings):
    """How recordings are replayed."""

    speed: Speed = Field(default=1.0, description="Multiple of the own pace, or max")
    start_s: float = Field(
        default=0.0, ge=0, le=MOST_SECONDS, description="Leave out this much at the beginning"
    )
    loop: bool = Field(default=False, description="Start again at the end")
    gaps: tuple[str, ...] = Field(default=(), description="Lose EMG, as START:LENGTH in seconds")


class SimulateSettings(Settings):
    """How recordings are published."""

    device: Literal["lsl", "varioport"] = Field(
        default="lsl", description="As what: an LSL stream, or a Varioport on a serial port"
    )
    name: str = Field(default="streamer-simulator", description="Name of the LSL stream")
    profile: str = Field(
        default="framed", description="Of the emulated Varioport: framed, multiplex, or a file"
    )
    link: Path = Field(default=DEFAULT_LINK, description="Name of the emulated serial port")
    faults: tuple[str, ...] = Field(
        default=(), description="Of the emulated Varioport, such as lost-bytes=0.01"
    )
    local: bool = Field(
        default=False, description="Only programs on this machine can receive it (Linux)"
    )
    once: bool = Field(
        default=False, description="Play once and end; a stream waits for a listener"
    )
    duration_s: float | None = Field(
        default=None, gt=0, le=MOST_SECONDS, description="End after this long"
    )


class TrainSettings(Settings):
    """What a bundle learns."""

    session: str | None = Field(default=None, description="Recording session of the voice")
    converter: Literal["causal", "feedforward"] = Field(
        default="causal",
        description="One that remembers, or the paper's on stacked frames",
    )
    others: bool = Field(
        default=True, description="Let causal learn from the other sessions of the corpus, too"
    )
    base: Path | None = Field(
        default=None,
        description="File of what causal learns first: of any sessions if there, else written",
    )
    width: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Channels of each layer of causal; null is the converter's own",
    )
    past: int = Field(default=15, ge=0, le=500, description="Frames that feedforward looks back")
    future: int = Field(
        default=0, ge=0, le=500, description="Frames ahead: each costs 10 ms of latency"
    )
    lead_ms: float = Field(default=0.0, ge=0, le=1000, description="Predict speech that much later")
    low_delay: bool = Field(
        default=False, description="Features that come 20 ms sooner and say a little less"
    )
    notch: Literal["off", 50, 60] = Field(
        default="off", description="Remove the hum of the mains at so many Hz and its harmonics"
    )
    epochs: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Passes over the session; null is the converter's own",
    )
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="Of weights and order")
    speakers: tuple[SpeakerMethod, ...] = Field(
        default=("evidence", "lda"),
        min_length=1,
        description="Speaker classifiers: evidence, lda, forest, embedding; the first one runs",
    )

    @field_validator("notch", mode="before")
    @classmethod
    def _off_as_yaml_has_it(cls, value: object) -> object:
        return "off" if value is False else value


class EvaluateSettings(Settings):
    """What is evaluated, and how thoroughly."""

    size: Literal["quick", "default", "full"] = Field(
        default="default", description="quick proves that it runs, full is the paper's size"
    )
    sessions: tuple[str, ...] = Field(default=(), description="Only these; empty for all")
    workers: int | None = Field(
        default=None, ge=1, le=1024, description="Jobs at once; null: a core each"
    )
    cluster: str | None = Field(default=None, description="Address of a Dask scheduler")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Of PyTorch")
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="Of everything random")


class DevicesSettings(Settings):
    """How devices are looked for."""

    wait_s: float = Field(
        default=1.0, gt=0, le=3600, description="How long to listen for LSL streams"
    )


class BenchSettings(Settings):
    """How much is measured."""

    drivers: DriversBench = DriversBench()
    engine: EngineBench = EngineBench()
    acoustic: AcousticBench = AcousticBench()
    soak: SoakBench = SoakBench()


class Config(Settings):
    """All settings.

    Attributes
    ----------
    bundle : Path or None
        Models; None is the bundle in the package.
    screen : bool
        Show the run on the terminal.
    models, session, pipeline, estimates, audio, outlets : settings
        Of every session.
    recordings : RecordingsSettings
        What `replay` and `simulate` play.
    replay, live, simulate, train, evaluate, devices, bench : settings
        Of one command each; a session in real time says where its bundle is not as `train` asks.
    """

    bundle: Path | None = Field(default=None, description="Models; null is those in the package")
    screen: bool = Field(default=True, description="Show the run on the terminal")
    models: ModelsSettings = ModelsSettings()
    session: SessionSettings = SessionSettings()
    pipeline: PipelineSettings = PipelineSettings()
    estimates: EstimateSettings = EstimateSettings()
    audio: AudioSettings = AudioSettings()
    outlets: OutletSettings = OutletSettings()
    recordings: RecordingsSettings = RecordingsSettings()
    replay: ReplaySettings = ReplaySettings()
    live: LiveSettings = LiveSettings()
    simulate: SimulateSettings = SimulateSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    devices: DevicesSettings = DevicesSettings()
    bench: BenchSettings = BenchSettings()


def load_config(
    file: Path | None = None,
    assignments: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> Config:
    """Put the settings of a run together.

    Parameters
    ----------
    file : Path, optional
        YAML file with any of the keys.
    assignments : sequence of str
        ``key.path=value``, the value as in YAML; they overrule the file.
    flags : mapping of str to object, optional
        Value by key path; None means not given. They overrule both.

    Returns
    -------
    Config
        Complete.

    Raises
    ------
    ConfigError
        The file cannot be read, a key does not exist, or a value does not fit.
    """
    tree: dict[str, Any] = {}
    if file is not None:
        _merge(tree, _read(file), f"in {file}")
    for assignment in assignments:
        _merge(tree, _parse(assignment), f"in --set {assignment}")
    for key, value in (flags or {}).items():
        if value is not None:
            _merge(tree, _nest(key, value), "on the command line")
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise _explain(error) from None


def write_config(config: Config, file: Path) -> None:
    """Write all settings such that ``--config`` takes them again."""
    content = config.model_dump(mode="json")
    write_whole(yaml.safe_dump(content, sort_keys=False), file)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_yaml(file, f"configuration {file}", ConfigError)
    except OSError as error:
        raise ConfigError(f"configuration {file}", value=error.strerror) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"configuration {file}",
            value=f"a {type(content).__name__}",
            allowed="keys and values, such as configs/live.yaml has",
        )
    return content


def _parse(assignment: str) -> dict[str, Any]:
    key, equals, text = assignment.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError("--set", value=assignment, allowed="key.path=value")
    value = parse_yaml(text, f"value of --set {key}", ConfigError, or_text=True)
    return _nest(key, value)


def _nest(key: str, value: object) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def _merge(
    tree: dict[str, Any],
    more: Mapping[str, Any],
    origin: str,
    model: type[BaseModel] = Config,
    above: str = "",
) -> None:
    """Put `more` into `tree`, checking that all its keys exist."""
    for key, value in more.items():
        path = f"{above}{key}"
        if key not in model.model_fields:
            raise _unknown(path, str(key), model, above, origin)
        section = _section(model, key)
        if section is None:
            tree[key] = value
        elif isinstance(value, dict):
            _merge(tree.setdefault(key, {}), value, origin, section, f"{path}.")
        elif value is not None:  # an empty section of a YAML file is None
            raise ConfigError(
                f"key '{path}' {origin}",
                value=value,
                allowed=f"a section with {', '.join(section.model_fields)}",
            )


def _section(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Return the model behind a key, None where it holds a value."""
    annotation: object = model.model_fields[key].annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def _unknown(path: str, key: str, model: type[BaseModel], above: str, origin: str) -> ConfigError:
    """Name the closest key: first one at this place, then one anywhere."""
    key, path = key[:_LONGEST_KEY], path[:_LONGEST_KEY]  # comparing takes its time
    close = difflib.get_close_matches(key, list(model.model_fields), n=1)
    hint = f"{above}{close[0]}" if close else None
    if hint is None:
        known = list(_paths(Config))
        same = [name for name in known if name.rpartition(".")[2] == key]
        hint = next(iter(same or difflib.get_close_matches(path, known, n=1)), None)
    return ConfigError(
        f"key '{path}' {origin} does not exist",
        allowed=", ".join(model.model_fields),
        way_out=f"did you mean '{hint}'?" if hint else None,
    )


def _paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for key in model.model_fields:
        section = _section(model, key)
        if section is None:
            yield f"{above}{key}"
        else:
            yield from _paths(section, f"{above}{key}.")


def _explain(error: ValidationError) -> ConfigError:
    """Say the first mistake in one line."""
    mistakes = error.errors(include_url=False)
    names: list[str] = []
    model: type[BaseModel] | None = Config
    for step in mistakes[0]["loc"]:
        if model is None or step not in model.model_fields:
            break  # what follows names a member of a union
        names.append(str(step))
        model = _section(model, str(step))
    key = ".".join(names)
    reasons = [
        mistake["msg"]
        .removeprefix("Input should be ")
        .removeprefix("Value error, ")
        .partition(", unable to")[0]
        for mistake in mistakes
        if ".".join(map(str, mistake["loc"])).startswith(key)
    ]
    return ConfigError(
        f"key '{key}'", value=repr(mistakes[0]["input"]), allowed=" or ".join(reasons)
    )
