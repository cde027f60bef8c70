import pytest

from drivers.errors import StreamerError
from drivers.simulator.phones import (
    GESTURES,
    PHONE_LIST,
    SILENCE,
    articulatory_targets,
    corpus_phones,
)


def test_every_phone_of_the_corpus_is_articulated() -> None:
    """Without a target a phone would leave no trace in the EMG."""
    assert len(PHONE_LIST) == 46
    for phone in PHONE_LIST:
        for target in articulatory_targets(phone):
            assert set(target) <= set(GESTURES)
            assert all(0 < degree <= 1 for degree in target.values())
            assert bool(target) == (phone != SILENCE)


@pytest.mark.parametrize(
    ("mnemonic", "phones"),
    [("'i:", ("IY",)), (",E", ("EH",)), ("e@", ("EH", "R")), (";", ()), ("_:", (SILENCE,))],
)
def test_mnemonics_become_phones_of_the_corpus(mnemonic: str, phones: tuple[str, ...]) -> None:
    """A wrong label would teach the activity gate and the alignments nonsense."""
    assert corpus_phones(mnemonic) == phones


def test_an_unknown_mnemonic_is_named() -> None:
    """A phone dropped without a word would shift all that follow it."""
    with pytest.raises(StreamerError, match="got 'y::'"):
        corpus_phones("y::")
