"""Keep every test's streams on this machine: liblsl reads this at its first call."""

from drivers.lsl import use_loopback

use_loopback()
