"""The experiments of Diener et al. (2020) and those beyond, from a corpus to a report.

`study` runs independent jobs and keeps their results, `material` reads the corpus, `metrics`
holds the definitions, `findings` is what an experiment hands to the report. Each experiment is
a folder with a function that takes a `Study` and returns `Findings`; `experiments` lists them,
`run` goes through them and writes the `directory` with the `report`.
"""
