"""Times the platform's own writing of a commit's tree. Runs in the server's own Python.

``write_tree.py GIT_ROOT APP_ID QUARANTINE COMMIT TARGET UID`` prints the seconds. QUARANTINE: the
directory of the pushed objects, as in a deploy.
"""

import json
import os
import sys
import time
from pathlib import Path

from paas.adapters.git.repository import DulwichRepository
from paas.interfaces import Quarantine


def main(argv: list[str]) -> None:
    """Write into the new directory TARGET."""
    root, app_id, incoming, commit, target, uid = argv
    repository = DulwichRepository(Path(root), (0, 0), max_bytes=2**31, max_files=200_000)
    Path(target).mkdir()
    os.sync()
    started = time.perf_counter()
    quarantine = Quarantine(Path(incoming))
    tree = repository.write_tree(int(app_id), commit, quarantine, Path(target), int(uid))
    print(json.dumps({"seconds": time.perf_counter() - started, "files": tree.files}))


if __name__ == "__main__":
    main(sys.argv[1:])
