"""Signal to numbers to speech: streaming operators, models and their training.

`bundle` opens a trained bundle and builds the operators that it names; `signal` and
`speech` hold the operators; `training` and `evaluation` run offline.
"""
