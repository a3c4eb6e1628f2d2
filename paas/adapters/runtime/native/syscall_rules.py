"""Which system calls apps and builds may not make, and why: the kernel's rarely used entrances.

The measure is Docker's default profile: what an app can do in a container there, it can do here.
Every call that libseccomp knows and this file does not name is allowed; what is newer than the
installed libseccomp is refused with ENOSYS, as if the kernel did not have it either.
"""

import errno
import socket

# A user namespace gives root's view of nftables, mounts and more, in which most of the kernel's
# recent holes are. Allowed to an app whose user namespaces are switched on.
NAMESPACE_CALLS = frozenset(
    {
        *("chroot", "pivot_root", "mount", "umount", "umount2", "sethostname", "setdomainname"),
        *("fsconfig", "fsmount", "fsopen", "fspick", "mount_setattr", "move_mount", "open_tree"),
        *("setns", "unshare"),
    }
)
# clone(2) with any of these flags; clone3 hides its flags from a filter.
NAMESPACE_FLAGS = (
    0x0002_0000,  # CLONE_NEWNS
    0x0200_0000,  # CLONE_NEWCGROUP
    0x0400_0000,  # CLONE_NEWUTS
    0x0800_0000,  # CLONE_NEWIPC
    0x1000_0000,  # CLONE_NEWUSER
    0x2000_0000,  # CLONE_NEWPID
    0x4000_0000,  # CLONE_NEWNET
)

# Refused as if the caller had no right to it.
NOT_PERMITTED = frozenset(
    {
        # The kernel and its modules
        *("create_module", "delete_module", "finit_module", "init_module", "query_module"),
        *("kexec_file_load", "kexec_load", "reboot", "syslog", "nfsservctl", "lookup_dcookie"),
        # The machine's clock, swap space, quotas, accounting, terminals and I/O ports
        *("clock_settime", "clock_settime64", "settimeofday", "stime", "swapoff", "swapon"),
        *("acct", "quotactl", "quotactl_fd", "vhangup", "ioperm", "iopl"),
        # The kernel's key rings belong to no namespace: all apps would share them
        *("add_key", "keyctl", "request_key"),
        # Programs in the kernel, performance counters, page faults handled by the app: exploits
        # of holes elsewhere often need one of these
        *("bpf", "perf_event_open", "userfaultfd"),
        # Watching a whole file system, opening files past their paths
        *("fanotify_init", "open_by_handle_at"),
        # Other processes' descriptors, and the placement of memory
        *("kcmp", "pidfd_getfd", "process_madvise", "mbind", "migrate_pages", "move_pages"),
        *("set_mempolicy", "set_mempolicy_home_node"),
    }
)

# Refused as if the kernel did not have it: callers then do it in another way, as glibc falls back
# from clone3 to clone. An io_uring opens sockets and files that no filter sees.
NOT_IMPLEMENTED = frozenset(
    {
        *("clone3", "io_uring_enter", "io_uring_register", "io_uring_setup", "get_mempolicy"),
        *("_sysctl", "get_kernel_syms", "modify_ldt", "sysfs", "uselib", "ustat"),
        *("vm86", "vm86old"),
    }
)

# personality(2): the usual ones, Linux with and without 32-bit numbers, and the question.
PERSONALITIES = (0, 0x8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF)

# Socket families: TCP, UDP and ping over IPv4 and IPv6, Unix sockets, and of netlink only what
# getaddrinfo asks for addresses. A socket of another protocol, such as SMC (also as protocol 256
# of IPv4) or MPTCP, opens its connections in the kernel, where no firewall rule knows its owner.
INTERNET_PROTOCOLS = {
    socket.AF_INET: (0, socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_UDP),
    socket.AF_INET6: (0, socket.IPPROTO_ICMPV6, socket.IPPROTO_TCP, socket.IPPROTO_UDP),
}
NETLINK_ROUTE = 0
HIGHEST_PROTOCOL = max(max(known) for known in INTERNET_PROTOCOLS.values())
HIGHEST_FAMILY = socket.AF_NETLINK
NO_FAMILY, NO_PROTOCOL = errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT
