"""A sender of its own process: waits for a line, then streams a ramp until it is killed.

Sample n of it is FIRST + n in every channel, acquired at START + n / rate on LSL's clock;
START is what it prints once its outlet is there.
"""

import sys
import time

import numpy as np
import pylsl

from drivers.lsl.loopback import kept_here

NAME, SOURCE_ID, FIRST = sys.argv[1], sys.argv[2], int(sys.argv[3])
RATE, SIZE = 600.0, 6

stream = pylsl.StreamInfo(NAME, "EMG", 2, RATE, pylsl.cf_int32, SOURCE_ID)
sys.stdin.readline()
with kept_here():
    outlet = pylsl.StreamOutlet(stream)
start_s = pylsl.local_clock()
sys.stdout.write(f"{start_s!r}\n")
sys.stdout.flush()
sent = 0
while True:
    numbers = FIRST + sent + np.arange(SIZE, dtype=np.int32)
    sent += SIZE
    time.sleep(max(0.0, start_s + sent / RATE - pylsl.local_clock()))
    last_s = start_s + (sent - 1) / RATE
    outlet.push_chunk(np.repeat(numbers[:, None], 2, axis=1), last_s)
