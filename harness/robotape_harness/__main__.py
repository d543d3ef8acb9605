"""`python -m robotape_harness`: the `robotape` command, where its script is not on the path."""

import sys

from robotape_harness.launch import main

if __name__ == "__main__":
    sys.exit(main())
