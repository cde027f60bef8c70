"""From signal to numbers: streaming operators from raw EMG to features.

``operator``, ``kernels``, ``framing``
    The contract, the compiled loops, and where frames begin.
``conditioning``, ``filters``, ``stand_in``
    EMG without hum and offset; what the features of a channel that fails are replaced by.
``emg_frames``, ``td_features``, ``log_bands``, ``compression``, ``stacking``
    A frame's features, and frames side by side.
``window_features``, ``band_profile``
    Features of longer windows, for classifiers.
"""
