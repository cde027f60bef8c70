"""What the parts cost and keep, measured at the pace of real use.

``drivers``
    Everything between a device and the ring.
``decoding``, ``device``, ``schedule``, ``ways``
    Its parts: bytes to samples, an emulated device in a process of its own, replay, and
    the same recording through all ways in.
``figure``
    One measured figure.
"""
