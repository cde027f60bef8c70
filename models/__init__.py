"""Signal to numbers to speech: streaming operators, models and their training.

``bundle``, ``manifest``, ``trial``
    A trained bundle is opened, and builds the operators that it names; what it says about
    itself; each of its models tried before it is used.
``graph``, ``graph_loading``, ``inference``
    Which ONNX graphs are taken, how they are loaded, and how they run.
``frame_models``, ``classifier``, ``embedding``, ``evidence``
    What models predict: speech and activity frame by frame, mode and speaker.
``signal``, ``speech``
    Streaming operators: EMG to features; speech to parameters and back.
``bounds``, ``deadline``, ``compiled``
    Bounds of numbers and sizes; of time; loops compiled to machine code.
``training``, ``evaluation``
    What runs offline.
"""
