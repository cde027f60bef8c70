"""Keep the streams that LabRecorder hears on this machine."""

from drivers.lsl import use_loopback

use_loopback()
