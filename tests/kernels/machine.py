"""One run of a virtual machine: its program's words, what it prints, and its end."""

import subprocess
import sys
import threading
from pathlib import Path

from tests.kernels.packages import Kernel

MEMORY_MIB = 1536
DISK_GIB = 8


def run_machine(
    kernel: Kernel, initramfs: Path, checkout: Path, disk: Path, *, limit_s: float
) -> list[str]:
    """Start it, print what it says, and wait for its end; returns the lines.

    disk: an empty file, its own disk. After the limit it is ended.
    """
    with disk.open("wb") as file:
        file.truncate(DISK_GIB << 30)
    subprocess.run(["mkfs.ext4", "-q", "-F", disk], check=True)
    argv = [
        # It ends with this process, however that ends.
        *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *_processor()),
        *("-m", str(MEMORY_MIB), "-smp", "1", "-nodefaults", "-no-reboot", "-display", "none"),
        *("-serial", "stdio", "-kernel", str(kernel.image), "-initrd", str(initramfs)),
        *("-append", f"console=ttyS0 quiet loglevel=2 panic=-1 checkout={checkout}"),
        *("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"),
        *("-nic", "user,model=virtio-net-pci"),
        *_share("/", "host"),
        *_share(str(kernel.modules), "modules"),
    ]
    lines = []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as machine:
        timer = threading.Timer(limit_s, machine.kill)
        timer.start()
        try:
            assert machine.stdout
            for line in machine.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                lines.append(line.strip())
        finally:
            timer.cancel()
            machine.kill()
    return lines


def _processor() -> tuple[str, ...]:
    """The host's, if it can lend it, and otherwise one that QEMU computes, which is slow.

    A host that is virtual itself may have /dev/kvm without what that needs.
    """
    flags = set(Path("/proc/cpuinfo").read_text().split())
    if flags.intersection({"vmx", "svm"}) and Path("/dev/kvm").exists():
        return "-accel", "kvm", "-cpu", "host"
    return "-accel", "tcg", "-cpu", "max"


def _share(path: str, name: str) -> tuple[str, str]:
    """A directory that the machine may read. What is mounted below it is told apart."""
    options = "security_model=passthrough,readonly=on,multidevs=remap"
    return "-virtfs", f"local,path={path},mount_tag={name},{options}"
