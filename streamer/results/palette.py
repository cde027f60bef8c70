"""Colours that colour-blind people can tell apart, the same on the screen and in pictures.

From Okabe and Ito (2008), "Color universal design".
"""

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Of the classes of a classifier, in the order of its labels."""
