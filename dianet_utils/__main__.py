"""``python -m dianet_utils`` is the same as the command ``dianet``."""

import sys

from dianet_utils.command.line import main

if __name__ == "__main__":
    sys.exit(main())
