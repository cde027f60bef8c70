"""A bundle: a directory with ``manifest.json`` and the ONNX files that it names."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Self, get_args

from pydantic import ValidationError

from drivers.errors import SignalMismatchError, StreamerError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import read_json
from models.classifier import WindowClassifier
from models.deadline import within
from models.embedding import Encoder
from models.evidence import EvidenceClassifier
from models.frame_models import FrameModels
from models.inference import OnnxModel
from models.manifest import FORMAT, ClassifierPart, Manifest, SpeakerMethod
from models.signal.emg_frames import EmgFrames
from models.signal.stacking import Stacking
from models.signal.stand_in import StandIn
from models.speech.vocoder import Vocoder
from models.trial import WHOLE, BundleError, Trial

MANIFEST = "manifest.json"

_TRIAL_S = 30.0  # of all models together; those that training makes take a tenth of a second
_TRIAL_ENDS_S = 5.0  # from its end on, which is looked at between two operators
_EVERY_METHOD = ",".join(get_args(SpeakerMethod))


def packaged_bundle() -> Path:
    """Return the bundle that comes with the project, trained on simulated speakers only."""
    return Path(str(files("models") / "packaged"))


class Bundle:
    """The models of a session, and the operators around them.

    Each method builds a fresh operator in its initial state; the ONNX graphs are loaded
    once and shared. Inference needs onnxruntime and numpy, never torch or scikit-learn.

    Parameters
    ----------
    path : Path
        The directory.
    manifest : Manifest
        What it says.
    speaker : str, optional
        Name of the speaker classifier that runs; the manifest's first one without.

    Attributes
    ----------
    mode : WindowClassifier or None
        None where there was nothing to tell apart.
    speaker : WindowClassifier, EvidenceClassifier or None
        The one that runs.
    speakers : dict of str to WindowClassifier or EvidenceClassifier
        All that tell speakers, by name.

    Raises
    ------
    BundleError
        When a model is missing, cannot be loaded, or has another name.
    """

    def __init__(self, path: Path, manifest: Manifest, speaker: str | None = None) -> None:
        self.path = path
        self.manifest = manifest
        self._loaded: list[OnnxModel] = []
        self._check_settings()
        self._converter = self._load(manifest.converter.file, manifest.converter.frame_file)
        gate = manifest.activity.file
        inside = gate == manifest.converter.file
        self._gate = None if inside else self._load(gate, probabilities=True)
        self.mode = None if manifest.mode is None else self._window_classifier(manifest.mode)
        self.speakers = {name: self._classifier(part) for name, part in manifest.speakers.items()}
        self.speaker = self._chosen(speaker)

    @classmethod
    def open(cls, path: str | Path, speaker: str | None = None) -> Self:
        """Read the manifest and load the models.

        Parameters
        ----------
        path : str or Path
            The directory.
        speaker : str, optional
            Name of the speaker classifier that runs; the bundle's first one without.

        Returns
        -------
        Bundle
            Ready to build operators.

        Raises
        ------
        BundleError
            When there is no manifest, it is another program's, a model is damaged or
            does not fit the manifest, or no speaker classifier has this name.
        """
        path = Path(path)
        file = path / MANIFEST
        train = "train one with `streamer train CORPUS --session ID --out DIR`"
        try:
            content = read_json(file, str(file), BundleError)
        except OSError:
            missing = f"no {MANIFEST}" if os.path.isdir(path) else "no such directory"
            raise BundleError(
                f"bundle {path}", value=missing, allowed="a bundle", way_out=train
            ) from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else None
            raise BundleError(
                f"format of {file}", value=repr(found), allowed=repr(FORMAT), way_out=train
            )
        try:
            # Of JSON, since there alone a number that is a text or true can be refused.
            manifest = Manifest.model_validate_json(to_json(content), strict=True)
        except ValidationError as error:
            raise _refused(error, file) from None
        except StreamerError as error:  # of the settings themselves
            raise BundleError(f"{file}: {error}", way_out="train the bundle again") from None
        bundle = cls(path, manifest, speaker)
        bundle._try_models()
        return bundle

    def check(self, rate_hz: float, channels: Sequence[str]) -> None:
        """Refuse a signal that the models were not trained for.

        Parameters
        ----------
        rate_hz : float
            Its nominal rate.
        channels : sequence of str
            Its channels' labels. Their number and order count; other labels are taken
            on trust, because devices name their inputs as they like.

        Raises
        ------
        SignalMismatchError
            Naming both sides.
        """
        signal = self.manifest.signal
        wanted = f"{signal.rate_hz:g} Hz and {len(signal.channels)} channels"
        if len(channels) != len(signal.channels) or rate_hz != signal.rate_hz:
            raise SignalMismatchError(
                f"signal for the bundle {self.path.name}",
                value=f"{rate_hz:g} Hz and {len(channels)} channels ({', '.join(channels)})",
                allowed=f"{wanted} ({', '.join(signal.channels)})",
                way_out=self._way_out(rate_hz, len(channels)),
            )
        if sorted(channels) == sorted(signal.channels) and list(channels) != list(signal.channels):
            raise SignalMismatchError(
                f"order of the channels for the bundle {self.path.name}",
                value=", ".join(channels),
                allowed=", ".join(signal.channels),
                way_out="reorder the channels at the source",
            )

    def _way_out(self, rate_hz: float, channels: int) -> str:
        """Say which bundle would fit a signal, and which signal would fit this one."""
        wanted = self.manifest.signal
        other = f"take a bundle that was trained at {rate_hz:g} Hz on {channels} channels"
        if rate_hz == wanted.rate_hz and channels > len(wanted.channels):
            return (
                f"name {len(wanted.channels)} of its channels (live.channels), those of a "
                f"recording by recordings.channels, or {other}"
            )
        return f"{other}, or send what this one wants"

    @property
    def shift_s(self) -> float:
        """From one frame to the next."""
        return self.manifest.features.shift_s

    @property
    def lead_frames(self) -> int:
        """By how many frames the converter's speech runs ahead of its EMG."""
        return round(self.manifest.converter.lead_ms / 1000 / self.shift_s)

    @property
    def algorithmic_latency_ms(self) -> float:
        """From an EMG instant to its sound, were computing and buffers free.

        From the centre of a speech frame to the last input of the EMG frame of its number, the
        future frames, and the hop over which the vocoder interpolates, less the lead of the
        prediction.
        """
        speech = self.manifest.speech
        centre_s = speech.centre / speech.rate_hz
        waits_s = self.emg_frames().reach_s - centre_s
        waits_s += self.frame_models().delay_s + self.vocoder().delay_s
        return 1000 * (waits_s - self.lead_frames * self.shift_s)

    def emg_frames(self) -> EmgFrames:
        """Build filters and features in one: EMG in microvolts in, frames out."""
        manifest = self.manifest
        return EmgFrames(
            manifest.conditioning,
            manifest.features,
            manifest.converter.bands,
            manifest.signal.rate_hz,
            len(manifest.signal.channels),
        )

    def stand_in(self) -> StandIn:
        """Build what replaces the features of channels that fail."""
        part, blocks = self.manifest.stand_in, self.manifest.features_of_a_channel
        channels = len(self.manifest.signal.channels)
        return StandIn(channels, blocks) if part is None else part.build(channels, blocks)

    def frame_models(self) -> FrameModels:
        """Build what runs at each frame: features in, speech and its probability out."""
        part = self.manifest.converter
        stacking, context = self._stackings()
        return FrameModels(
            self._converter, stacking, self._gate, context, part.voicing_threshold, part.ahead
        )

    def _stackings(self) -> tuple[Stacking, Stacking]:
        """Build the context of a frame for the converter, and that for the gate."""
        manifest, emg = self.manifest, self.emg_frames()
        return (
            Stacking(manifest.converter.stacking, self.shift_s, emg.columns + emg.more_columns),
            Stacking(manifest.activity.stacking, self.shift_s, emg.columns),
        )

    def vocoder(self, seed: int = 0) -> Vocoder:
        """Build the vocoder: speech parameters in, speech out."""
        return Vocoder(self.manifest.speech, seed)

    def _classifier(self, part: ClassifierPart) -> WindowClassifier | EvidenceClassifier:
        if "evidence" not in part.features:
            return self._window_classifier(part)
        signal = self.manifest.signal
        model = self._load(part.file, probabilities=True)
        return EvidenceClassifier(model, part, signal.rate_hz, len(signal.channels))

    def _window_classifier(self, part: ClassifierPart) -> WindowClassifier:
        encoder = None
        if part.encoder is not None:
            encoder = Encoder(self._load(part.encoder.file), part.encoder)
        rate_hz = self.manifest.signal.rate_hz
        model = self._load(part.file, probabilities=True)
        return WindowClassifier(model, part, rate_hz, self.shift_s, encoder)

    def _chosen(self, speaker: str | None) -> WindowClassifier | EvidenceClassifier | None:
        if speaker is None:
            return next(iter(self.speakers.values()), None)
        if speaker not in self.speakers:
            raise BundleError(
                f"speaker classifier (models.speaker) of the bundle {self.path}",
                value=speaker,
                allowed=", ".join(self.speakers) or "null: it tells no speakers apart",
                way_out=f"train a bundle that has it: --set 'train.speakers=[{_EVERY_METHOD}]'",
            )
        return self.speakers[speaker]

    def _try_models(self) -> None:
        with ExitStack() as limited:
            for model in self._loaded:
                limited.enter_context(model.within(_TRIAL_S))
            try:
                within(_TRIAL_S + _TRIAL_ENDS_S, self._try_each)
            except TimeoutError as error:  # a single operator, which nothing ends
                raise BundleError(
                    f"models of the bundle {self.path}: {error} to run each of them once",
                    way_out=WHOLE,
                ) from None

    def _check_settings(self) -> None:
        """Build the operators once: settings can be right each, and not together."""
        try:
            emg_frames = self.emg_frames()
            self._stackings()
        except StreamerError as error:
            raise BundleError(
                f"{self.path / MANIFEST}: {error}", way_out="train the bundle again"
            ) from None
        self._trial(emg_frames).features(emg_frames)

    def _trial(self, emg: EmgFrames) -> Trial:
        return Trial(self.path, self.manifest, emg.columns, emg.more_columns)

    def _try_each(self) -> None:
        manifest, trial = self.manifest, self._trial(self.emg_frames())
        if self._gate is not None:
            trial.gate(self._gate)
        trial.converter(self._converter, with_gate=self._gate is None)
        trial.frame_models(self.frame_models)
        trial.vocoder(self.vocoder)
        for name, part in manifest.speakers.items():
            trial.classifier(part, self.speakers[name])
        if manifest.mode is not None and self.mode is not None:
            trial.classifier(manifest.mode, self.mode)

    def _load(
        self, name: str, frame_name: str | None = None, *, probabilities: bool = False
    ) -> OnnxModel:
        """Load a graph; what is a probability must be called so, see `PLAUSIBLE`."""
        names = [name] if frame_name is None else [name, frame_name]
        for one in names:
            if Path(one).name != one or not (self.path / one).is_file():
                raise BundleError(
                    f"model {one} of the bundle {self.path}",
                    value="no such file in the bundle",
                    way_out=WHOLE,
                )
        try:
            model = OnnxModel(*(self.path / one for one in names))
        except Exception as error:  # ONNX Runtime's own exceptions share no public base
            raise BundleError(
                f"model {self.path / ' or '.join(names)} cannot be loaded: {error}",
                way_out="train the bundle again",
            ) from error
        last = list(model.outputs)[-1:]
        if probabilities and last != ["probabilities"]:
            raise BundleError(
                f"model {name} of the bundle {self.path} does not fit its manifest: last output",
                value=", ".join(last),
                allowed="probabilities",
                way_out=WHOLE,
            )
        self._loaded.append(model)
        return model


def _refused(error: ValidationError, file: Path) -> BundleError:
    """Return the first thing that is wrong in a manifest."""
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"])) or "contradiction"
    value, reason = first["input"], first["msg"].removeprefix("Value error, ")
    if isinstance(value, dict | list):  # what is wrong is that, or what is missing in it
        value = None
    return BundleError(f"{key} in {file}: {reason}", value=value, way_out="train the bundle again")
