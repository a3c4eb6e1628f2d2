"""``paas-log``: the process that writes the output of instances to log files.

    /usr/bin/python3 -I -S logger.py --run DIR --logs DIR --file-bytes N --files N
                                     --file-s N --nginx-pid PATH [--rate-bytes N] [--router PATH]

run: where fifos/ is and log.sock will be. logs: one directory for each app id. file-bytes,
file-s and files: at which size and age a log file is rotated, and how many of each are kept.
nginx-pid: the process that is asked to reopen router.log. rate-bytes: how much one app may log per
second, on average. router: where HAProxy sends its log of requests. It is only an entry point,
like launch.py; the work is in logd/process.py. Standard library only.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/paas/entrypoints/")[0] or ".")
    from paas.entrypoints.logd.process import main

    sys.exit(main(sys.argv[1:]))
