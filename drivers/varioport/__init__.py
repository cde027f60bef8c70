"""Becker Meditec Varioport over a serial port, as far as it is known: see `profile`."""
