"""A run on the terminal while it runs: `screen`, its panels and colours."""
