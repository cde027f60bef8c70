"""Keep the streams of every test, and of the programs it starts, on this machine.

liblsl reads this at its first call, which may be in any test.
"""

from drivers.lsl import use_loopback

use_loopback()
