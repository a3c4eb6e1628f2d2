"""What docker-registry leaves of deleted images: links to blobs that are gone, and empty folders.

The layout: https://pkg.go.dev/github.com/distribution/distribution/registry/storage (paths.go).
"""

import shutil
from pathlib import Path


def remove_leftovers(images: Path, repository: str) -> None:
    """Delete them. It answers for such a link as if there were none; they only take inodes."""
    root = images / "docker/registry/v2"
    own = root / "repositories" / repository
    for link in own.glob("_layers/sha256/*"):
        if not (root / "blobs/sha256" / link.name[:2] / link.name).exists():
            shutil.rmtree(link, ignore_errors=True)
    for revision in own.glob("_manifests/revisions/sha256/*"):
        if not (revision / "link").exists():
            shutil.rmtree(revision, ignore_errors=True)
