"""Runs nft(8), the program that sets the kernel's firewall rules."""

from dataclasses import dataclass
from pathlib import Path

from paas.adapters.system.subprocesses import run
from paas.domain.values.exits import exit_words

NFT = Path("/usr/sbin/nft")
NFT_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class NftAnswer:
    """words: what it printed, or in one line why it refused."""

    ok: bool
    words: str


def ask_nft(arguments: list[str], rules: str = "") -> NftAnswer:
    """Run nft with the rules on its stdin. Raises PaasError if it does not answer in time."""
    if not NFT.exists():
        return NftAnswer(ok=False, words="nft is not installed")
    done = run(
        [NFT, *arguments],
        description="Setting the firewall",
        timeout_s=NFT_LIMIT_S,
        env={"LC_ALL": "C.UTF-8"},
        stdin=rules.encode(),
        check=False,
    )
    words = done.output.decode(errors="replace")
    if done.ok:
        return NftAnswer(ok=True, words=words)
    reason = words.strip().partition("\n")[0] or exit_words(done.status)
    return NftAnswer(ok=False, words=reason)
