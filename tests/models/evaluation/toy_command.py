"""The command line with toy experiments: ``python toy_command.py evaluate CORPUS --out DIR``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def main() -> None:
    import toy_jobs

    from models.evaluation import experiments
    from streamer.cli import main

    experiments.EXPERIMENTS = ("first", "second")
    experiments.experiment = lambda name: getattr(toy_jobs, name)
    print("ready", file=sys.stderr, flush=True)  # noqa: T201
    main()


if __name__ == "__main__":
    main()
