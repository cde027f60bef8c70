"""A run on the terminal while it runs."""
