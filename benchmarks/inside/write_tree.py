"""Times the platform's own writing of a commit's tree. Runs in the server's own Python.

``write_tree.py GIT_ROOT APP_ID COMMIT TARGET UID`` prints the seconds.
"""

import json
import os
import sys
import time
from pathlib import Path

from paas.adapters.repository_dulwich import DulwichRepository


def main(argv: list[str]) -> None:
    """Write into the new directory TARGET."""
    root, app_id, commit, target, uid = argv
    repository = DulwichRepository(Path(root), (0, 0), max_bytes=2**31, max_files=200_000)
    Path(target).mkdir()
    os.sync()
    started = time.perf_counter()
    tree = repository.write_tree(int(app_id), commit, None, Path(target), int(uid))
    print(json.dumps({"seconds": time.perf_counter() - started, "files": tree.files}))


if __name__ == "__main__":
    main(sys.argv[1:])
