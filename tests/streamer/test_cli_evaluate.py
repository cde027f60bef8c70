"""``streamer evaluate`` on the recording in the package, with an experiment that takes no time."""

import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import drivers.simulator  # noqa: E402
from models.evaluation import experiments  # noqa: E402
from models.evaluation.findings import Findings  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.study import Study  # noqa: E402
from streamer.cli import cli  # noqa: E402
from streamer.cli.evaluate import _interruptible  # noqa: E402

CORPUS = str(Path(drivers.simulator.__file__).parent / "packaged")

Call = Callable[..., Result]


def weighed(material: Material, session: str) -> int:
    return sum(len(one.emg.samples) for one in material.session(session).utterances)


def mode(study: Study) -> Findings:
    weights = study.run("weighing", weighed, [(one,) for one in study.material.sessions])
    figures = {"pooled": {"balanced_accuracy": 0.5}, "samples": weights}
    return Findings("mode", "Speaking mode", figures, missing=["*Nobody* whispered."])


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Evaluate into ``tmp_path / "out"``, with one process."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", ("mode",))
    monkeypatch.setattr(experiments, "experiment", lambda name: {"mode": mode}[name])

    def run(*words: str) -> Result:
        out = str(tmp_path / "out")
        return CliRunner().invoke(cli, ["evaluate", CORPUS, "--out", out, "--workers", "1", *words])

    return run


def breaking(material: Material, number: int) -> int:
    return number // 0


def broken(study: Study) -> Findings:
    study.run("breaking", breaking, [(1,)])
    raise AssertionError


def test_an_experiment_that_fails_does_not_keep_the_others(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bug would cost all that comes after it, night by night."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", ("search", "mode"))
    monkeypatch.setattr(
        experiments, "experiment", lambda name: {"search": broken, "mode": mode}[name]
    )
    result = call()
    assert result.exit_code == 1
    assert "experiments that failed: got search" in result.stderr
    assert "ZeroDivisionError" in (tmp_path / "out" / "search.error.txt").read_text()
    assert (tmp_path / "out" / "mode.json").is_file()


def test_the_figures_are_printed_beside_the_papers(call: Call, tmp_path: Path) -> None:
    """Whoever waited an hour would have to look for what came of it."""
    result = call()
    assert result.exit_code == 0, result.output
    lines = [one for one in result.stdout.splitlines() if one.startswith("Speaking mode, all")]
    assert any("the paper's" in one and "58.4 %" in one for one in lines)
    assert any("ours:" in one and "50.0 %" in one for one in lines)
    assert "! Simulated: nobody spoke these recordings." in result.stdout
    assert f"report     {tmp_path / 'out/report.html'}" in result.stdout
    assert "missing    mode: Nobody whispered." in result.stdout
    assert (tmp_path / "out/report.html").exists()
    assert (tmp_path / "out/report.md").exists()
    assert (tmp_path / "out/mode.json").exists()
    assert re.match(r"streamer: mode: 3 jobs, \d+:\d\d", result.stderr.splitlines()[-1])
    again = call()
    assert "3 of them kept from before" in again.stderr


def test_json_is_all_there_is_on_standard_output(call: Call) -> None:
    """A script could not read it."""
    result = call("--json", "--quick", "--seed", "5")
    figures = json.loads(result.stdout)
    assert figures["mode"]["pooled"]["balanced_accuracy"] == 0.5
    configuration = figures["mode"]["about"]["configuration"]
    assert (configuration["size"], configuration["seed"]) == ("quick", 5)


def test_settings_come_from_a_file_too(call: Call, tmp_path: Path) -> None:
    """A cluster's users would type its address each time."""
    (tmp_path / "e.yaml").write_text("evaluate: {size: full, sessions: [101-001]}\n")
    result = call("--json", "--config", str(tmp_path / "e.yaml"), "--set", "evaluate.seed=2")
    configuration = json.loads(result.stdout)["mode"]["about"]["configuration"]
    assert configuration["size"] == "full"
    assert configuration["sessions"] == ["101-001"]
    assert configuration["seed"] == 2


def test_the_example_of_settings_can_be_used(call: Call) -> None:
    """The first file that people copy would be refused."""
    file = Path(__file__).parents[2] / "configs/evaluate.yaml"
    result = call("--config", str(file), "--set", "evaluate.sessions=[]", "--device", "cpu")
    assert result.exit_code == 0, result.output


def test_ctrl_c_says_how_to_go_on(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People would start from the beginning, or not dare to stop."""

    def interrupted(study: Study) -> Findings:
        mode(study)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(experiments, "experiment", lambda name: interrupted)
    before = signal.getsignal(signal.SIGINT)
    result = call()
    assert result.exit_code == 130
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.endswith("what is done is kept, and the same command goes on from there")
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.setattr(experiments, "experiment", lambda name: mode)
    assert "3 of them kept from before" in call().stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--session", "007-001"], "got 007-001; allowed: 101-001"),
        (["--device", "cuda"], "--device: got cuda, but PyTorch sees no GPU"),
        (["--cluster", "head"], "cluster head cannot be reached"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(
    call: Call, tmp_path: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake would end in a traceback."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = call(*words)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_without_a_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who installed without the extra would not know what is missing."""
    for name in [name for name in sys.modules if name.startswith("models.evaluation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "joblib", None)
    result = CliRunner().invoke(cli, ["evaluate", CORPUS, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "evaluation needs joblib, which is not installed" in result.stderr
    assert "'.[train]'" in result.stderr


def test_a_second_ctrl_c_does_not_disturb_the_first() -> None:
    """Impatience would leave workers behind, which go on eating the machine."""
    both = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(one) for one in both]
    with _interruptible():
        stop = signal.getsignal(signal.SIGINT)
        assert callable(stop)
        with pytest.raises(KeyboardInterrupt):
            stop(signal.SIGINT, None)
        assert [signal.getsignal(one) for one in both] == [signal.SIG_IGN, signal.SIG_IGN]
    assert [signal.getsignal(one) for one in both] == before
