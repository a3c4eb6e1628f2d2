"""Sizes of files and directories in words."""

_KIB, _MIB, _GIB = 1024, 1024**2, 1024**3


def size_words(size_bytes: int) -> str:
    """In a suitable unit, never rounded to nothing: ``12 KiB``, ``3.4 MiB``."""
    if size_bytes < _MIB:
        return f"{-(-size_bytes // _KIB)} KiB"
    if size_bytes < _GIB:
        return f"{size_bytes / _MIB:.1f} MiB"
    return f"{size_bytes / _GIB:.1f} GiB"
