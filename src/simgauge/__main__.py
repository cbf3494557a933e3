"""``python -m simgauge``: the same as the ``simgauge`` command."""

from simgauge.cli import main

if __name__ == "__main__":
    main()
