"""The voice as sound: the sound card, the buffer before it, and WAV files.

``settings``, ``output``
    How it is played, and what plays: a sound card, or a clock where there is none.
``play_buffer``, ``drift``, ``recurring``
    The voice waits with a reserve, which grows; hops follow the card's clock; what happens again
    is not an accident.
``sound_card``, ``card_stream``, ``cards``
    The buffer's way to a card, the card that plays, and those there are.
``port_audio``, ``library_thread``
    The library behind them, by calls that always return.
``resampling``
    For cards that do not take the voice's rate.
``wav``
    Files that can be read at any moment.
"""
