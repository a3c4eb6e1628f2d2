"""The processes of an app, as the kernel lists them."""

import psutil


def processes_of(uid: int) -> set[int]:
    """The pids of a uid's processes that have not ended."""
    found = psutil.process_iter(["uids", "status"])
    mine = [p for p in found if p.info["uids"] and p.info["uids"].real == uid]
    return {p.pid for p in mine if p.info["status"] != psutil.STATUS_ZOMBIE}
