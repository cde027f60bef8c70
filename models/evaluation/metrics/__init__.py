"""What is measured: each figure has one definition, used offline and after a live run."""
