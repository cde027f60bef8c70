"""``streamer train``: a corpus to a bundle."""
import click
@click.command()
def train() -> None:
    pass
