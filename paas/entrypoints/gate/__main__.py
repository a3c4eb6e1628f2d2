"""``python -I -m paas.entrypoints.gate --etc ETC``"""

import sys

from paas.entrypoints.gate.server import main

if __name__ == "__main__":
    sys.exit(main())
