"""The report: one HTML file and one Markdown file of the same content.

``content``
    What stands in it, whatever it is written as.
``headlines``
    The figures that come first, beside the paper's.
``about``
    What the figures rest on: data, settings, machine, versions.
``html``, ``markdown``
    The two ways to write it.
"""
