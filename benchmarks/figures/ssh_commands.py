"""The time of a command over ssh."""

from benchmarks.bench import LIVE, Bench
from benchmarks.commands import ENVIRONMENT, timed
from benchmarks.quiet import wait_for_quiet
from benchmarks.rows import Row, Rule, Target, compared

ROUNDS = 20
COMMANDS = {
    "apps": ("apps",),
    "config": ("config", "-a", LIVE),
    "ps": ("ps", "-a", LIVE),
}


class SshCommands:
    """Against the forced command /bin/true."""

    name = "ssh-commands"

    def measure(self, bench: Bench) -> list[Row]:
        """Run the commands in rotating order, with the baseline before each."""
        assert bench.live
        bench.server.settle(1)
        ssh = bench.key.ssh(bench.server.ssh_port)
        true = bench.sshd.true()
        ours: dict[str, list[float]] = {name: [] for name in COMMANDS}
        plain: dict[str, list[float]] = {name: [] for name in COMMANDS}
        names = list(COMMANDS)
        for number in range(bench.rounds(ROUNDS)):
            wait_for_quiet()
            first = number % len(names)
            for name in names[first:] + names[:first]:
                plain[name].append(1000 * timed(true, env=ENVIRONMENT))
                ours[name].append(1000 * timed([*ssh, *COMMANDS[name]], env=ENVIRONMENT))
        target = Target(Rule.RATIO_AT_MOST, 1.2)
        return [
            compared(f"ssh-{name}", f"ssh ... {name}", "ms", ours[name], plain[name], target)
            for name in COMMANDS
        ]
