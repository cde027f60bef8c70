"""Speech to mel-cepstra, F0 and voicing, and back."""

import warnings

# pysptk 1.0.1 imports pkg_resources, which announces its end to every user, at every start.
warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
