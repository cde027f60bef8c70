"""From signal to numbers: streaming operators from raw EMG to features."""
