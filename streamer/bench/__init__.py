"""What the parts cost and keep, measured at the pace of real use.

``check``, ``streams``, ``loopback``, ``serial_port``
    All that has a bound in time, in half a minute; of it LSL streams, in a process of their own,
    and a serial port.
``engine``, ``filtering``
    What a session costs; the MLSA filter against pysptk's.
``acoustic``, ``lag``, ``reaction``
    The delay, proven from outside: net acoustic lag and reaction time.
``soak``, ``outages``
    A long run beside a busy core, and a source that is killed.
``virtual_card``, ``heard``, ``clicks``
    A sound card without hardware, what it played and when, and how long it takes.
``process``, ``worker``
    A session in a process of its own.
``drivers``
    Everything between a device and the ring.
``decoding``, ``device``, ``schedule``, ``ways``
    Its parts: bytes to samples, an emulated device in a process of its own, replay, and
    the same recording through all ways in.
``figure``, ``pictures``
    Measured figures beside what they have to be, and a picture of each bench.
"""
