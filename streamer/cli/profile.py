"""``streamer profile``: how a device's bytes are framed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.options import as_json, print_json, say

if TYPE_CHECKING:
    from drivers.varioport.profile import Profile


@click.group()
def profile() -> None:
    """Find out how a device frames its samples.

    A profile says which bytes are sync, counter, channels and checksum, and how far that
    is verified. The live protocol of the Varioport is not public: the profiles that come
    with the project are read by its own emulator alone.
    """


@profile.command()
@click.argument("capture", metavar="CAPTURE", type=Path)
@click.option("--out", metavar="FILE.yaml", type=Path, help="Write the profile to this new file.")
@as_json
def guess(capture: Path, out: Path | None, json_: bool) -> None:
    """Propose a profile from captured bytes.

    What it finds is a guess, and is marked so. Units, labels and scale cannot be seen in
    bytes: put them right by hand, and compare with the device's own software.

    \b
    Example:
      streamer profile guess device.capture --out my-varioport.yaml
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.varioport.guess import guess_profile
    from drivers.varioport.profile import write_profile
    from drivers.varioport.transport.capture import read_capture

    captured = read_capture(capture)
    found = guess_profile(captured)
    if out is not None:
        write_profile(found.profile, out)
    if json_:
        print_json(
            {
                "confidence": found.confidence,
                "findings": list(found.findings),
                "profile": found.profile.model_dump(mode="json"),
            }
        )
        return
    for line in found.findings:
        say(line)
    say(f"confidence {found.confidence:.2f}" + (f"; written to {out}" if out else ""))


@profile.command()
@click.argument("name", metavar="PROFILE")
@as_json
def show(name: str, json_: bool) -> None:
    """Show a profile: framed, multiplex, or a file of your own.

    \b
    Example:
      streamer profile show framed
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.varioport.profile import load_profile

    found = load_profile(name)
    if json_:
        print_json(found.model_dump(mode="json"))
        return
    for line in _lines(found):
        say(line)


def _lines(found: "Profile") -> list[str]:
    channels = ", ".join(f"{c.label} ({c.format}, {c.unit})" for c in found.channels)
    return [
        f"{found.name}: {found.status.value}",
        f"evidence   {found.evidence}",
        f"frame      {found.framing}, {found.frame_bytes} bytes at {found.rate_hz:g} Hz, "
        f"{found.baud_rate} baud",
        f"channels   {channels}",
        f"sends      {'nothing' if not (found.start or found.stop) else 'start and stop bytes'}",
    ]
