"""Who can reach what is sent: a person's EMG and voice."""

import socket
from collections.abc import Callable

import pytest

from drivers.errors import SourceError
from drivers.lsl import LslOutlet, keep_outlets_here, loopback
from drivers.source import Channel, Provenance, SourceInfo

pytestmark = pytest.mark.skipif(not loopback._POSSIBLE, reason="Linux only")


def interfaces_of(make: Callable[[], LslOutlet]) -> list[str]:
    """Return the interfaces of all sockets that an outlet opens."""
    before = loopback._open_to_all()
    outlet = make()
    found = []
    for descriptor in loopback._open_to_all().keys() - before.keys():
        with loopback._socket(descriptor) as one:
            name = one.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            found.append(name.rstrip(b"\0").decode())
    outlet.close()
    return found


def outlet() -> LslOutlet:
    info = SourceInfo("kept", "kept-1", (Channel("EMG1"),), 600.0, Provenance.SIMULATED)
    return LslOutlet(info)


@pytest.mark.system
def test_the_demonstration_and_these_tests_stay_on_this_machine(monkeypatch):
    """liblsl listens on every interface, whatever its configuration says."""
    found = interfaces_of(outlet)
    assert len(found) >= 2
    assert set(found) == {"lo"}
    monkeypatch.delenv("LSLAPICFG")
    assert set(interfaces_of(outlet)) == {""}
    monkeypatch.setattr(loopback, "_kept_here", False)  # put back afterwards
    keep_outlets_here("outlets.local")
    assert set(interfaces_of(outlet)) == {"lo"}


def test_where_it_cannot_be_done_it_is_said(monkeypatch):
    """Who asked for it must not believe that it is so."""
    monkeypatch.setattr(loopback, "_POSSIBLE", False)
    with pytest.raises(SourceError, match="outlets.local: got true; allowed: Linux"):
        keep_outlets_here("outlets.local")
