"""The configuration of sshd, which the real sshd accepts."""

import subprocess
from dataclasses import replace
from pathlib import Path

from paas.adapters.ssh import sshd_conf
from paas.entrypoints.gate_client.link import ENV_ALWAYS, TOKEN
from paas.settings import Settings


def _effective(conf: Path) -> dict[str, str]:
    """The settings as sshd -T understands them for the platform's account; of several, the last."""
    return dict(line.split(" ", 1) for line in _lines(conf) if " " in line)


def _lines(conf: Path, user: str = "paas") -> list[str]:
    Path("/run/sshd").mkdir(exist_ok=True)
    argv = ["/usr/sbin/sshd", "-T", "-f", str(conf)]
    argv += ["-C", f"user={user},host=localhost,addr=127.0.0.1"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()


def _with_key(tmp_path: Path) -> Settings:
    settings = replace(Settings(), etc=tmp_path, run=tmp_path, ssh_port=2222, embedded=True)
    key = str(sshd_conf.host_key(settings))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return settings


def test_embedded(tmp_path: Path) -> None:
    """Keys only, one account only, no forwarding, no slow key exchange."""
    settings = _with_key(tmp_path)
    conf = tmp_path / "sshd_config"
    conf.write_text(sshd_conf.embedded(settings))
    found = _effective(conf)
    assert found["port"] == "2222"
    assert found["allowusers"] == "paas"
    assert found["authenticationmethods"] == "publickey"
    assert found["authorizedkeysfile"] == str(tmp_path / "authorized_keys")
    assert found["disableforwarding"] == "yes"
    assert found["maxstartups"] == "200:30:400"
    assert "sntrup" not in found["kexalgorithms"]
    assert "curve25519" in found["kexalgorithms"]


def test_system_changes_nothing_for_others(tmp_path: Path) -> None:
    """The snippet's rules hold for the platform's account alone."""
    settings = _with_key(tmp_path)
    conf = tmp_path / "sshd_config"
    others = f"HostKey {sshd_conf.host_key(settings)}\nPasswordAuthentication yes\nAcceptEnv LANG\n"
    (tmp_path / "snippet.conf").write_text(sshd_conf.system(settings))
    conf.write_text(f"Include {tmp_path}/snippet.conf\n{others}")
    assert _effective(conf)["passwordauthentication"] == "no"
    shown = _lines(conf, "root")
    assert "passwordauthentication yes" in shown
    assert f"authorizedkeysfile {tmp_path / 'authorized_keys'}" not in shown
    assert f"acceptenv {TOKEN}" in _lines(conf)
    assert "acceptenv LANG" in shown
    assert f"acceptenv {TOKEN}" not in shown


def test_a_token_arrives(tmp_path: Path) -> None:
    """For the platform's account, and nothing else that its client does not read."""
    settings = _with_key(tmp_path)
    conf = tmp_path / "sshd_config"
    for text in (sshd_conf.embedded(settings), sshd_conf.system(settings)):
        conf.write_text(f"{text}Match all\n")
        if not text.startswith(sshd_conf.HEAD + "Port"):
            conf.write_text(f"{text}Match all\nHostKey {sshd_conf.host_key(settings)}\n")
        accepted = {line.split()[1] for line in _lines(conf) if line.startswith("acceptenv")}
        assert accepted == {TOKEN, "NO_COLOR"} <= {TOKEN, *ENV_ALWAYS}
