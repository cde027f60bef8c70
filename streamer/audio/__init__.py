"""The voice as sound: the sound card, the buffer before it, and WAV files."""
