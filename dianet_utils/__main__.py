"""``python -m dianet_utils`` is the same as the command ``dianet``."""

import sys


def _main() -> int:
    """The command; Ctrl-C is one line also while its packages are still loaded."""
    try:
        from dianet_utils.command.line import main

        return main()
    except KeyboardInterrupt:
        print("error: stopped before the notebook began.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(_main())
