"""Proofs by DNS: what is accepted, the certificate of all apps, and wildcards of apps."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from paas.adapters.certificates import dns_challenge
from paas.adapters.certificates.certbot import failure_of
from paas.domain.certificates.acme import Failure
from paas.domain.certificates.dns import HOOK, PROVIDERS, challenge
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.fakes.certificates import fake_pem
from tests.fakes.world import ROOT, World

HOST, WILDCARD = "shop.example.com", "*.example.com"
TOKEN = "dns_cloudflare_api_token = s3cret-t0ken\n"
DAY_S = 86_400.0


@pytest.fixture
def shop(tmp_path: Path) -> World:
    """A server on which every app gets certificates, with one that is deployed."""
    world = World(tmp_path / "world", auto_certificates=True)
    world.app()
    world.push()
    return world


def dns(world: World, provider: str = "cloudflare", credentials: str = TOKEN) -> bool:
    return world.wildcards.set(ROOT, provider, (), credentials, world.progress)


def shown(world: World, app_id: int = 1) -> list[tuple[str, tuple[str, ...]]]:
    """The certificates at the proxy, by their ids, and for which names each is."""
    certificates = world.proxy.by_app[app_id].certificates
    return [(one.chain.parent.name, one.hosts) for one in certificates]


def test_one_certificate_serves_every_app_at_once(shop: World) -> None:
    """Also one that is pushed later, which is live by HTTPS at once; its own are not asked for."""
    shop.acme.renew_due()
    assert shop.issuer.asked == [HOST]
    assert dns(shop)
    assert shop.issuer.asked == [HOST, WILDCARD]
    proof = shop.issuer.proofs[-1]
    assert proof is not None
    assert proof.credentials.reveal() == TOKEN
    shop.acme.renew_due()
    (certificate,) = shop.store.shared_certificates.all()
    assert shown(shop) == [(certificate.id, (HOST,))]
    assert shop.store.certificates.of_app(1) == [], "what it covers is not needed"
    assert shop.certificate_files.all() == [certificate.id]
    shop.app("later")
    shop.push("later", "b" * 40)
    assert shown(shop, 2) == [(certificate.id, ("later.example.com",))]
    assert any("Live: https://later.example.com/" in line for line in shop.progress.lines)
    assert not any("later" in line for line in shop.progress.lines if "HTTPS:" in line)
    assert not shop.acme.renewals.any(shop.clock.now())
    assert shop.issuer.asked == [HOST, WILDCARD]
    (info,) = shop.certificates.listing(ROOT, "later")
    assert info.hosts == ("later.example.com",)
    with pytest.raises(PaasError, match="for all apps"):
        shop.certificates.remove(ROOT, "later", None, shop.progress)


def test_an_app_s_own_certificate_goes_first(shop: World) -> None:
    """Someone chose it."""
    dns(shop)
    made = shop.certificates.add(ROOT, "shop", fake_pem(HOST), shop.progress)
    assert shown(shop) == [(made.id, (HOST,))]


def test_it_is_renewed_as_others_are(shop: World) -> None:
    """At a third of its time; the former one's files go, and a failure keeps it."""
    dns(shop)
    (first,) = shop.store.shared_certificates.all()
    assert not shop.wildcards.due.any(shop.clock.now())
    shop.clock.seconds += 62 * DAY_S
    assert shop.wildcards.due.any(shop.clock.now())
    shop.issuer.refuses[WILDCARD] = Failure("The issuer says: no")
    shop.wildcards.tend()
    assert shop.store.shared_certificates.all() == [first]
    assert not shop.wildcards.due.any(shop.clock.now())
    shop.clock.seconds += 10 * DAY_S
    (warning,) = shop.wildcards.warnings()
    assert warning.endswith("expires in 17 days: The issuer says: no.")
    shop.issuer.refuses.clear()
    shop.wildcards.tend()
    (second,) = shop.store.shared_certificates.all()
    assert second.id != first.id
    assert shown(shop) == [(second.id, (HOST,))]
    assert shop.certificate_files.all() == [second.id]
    assert shop.wildcards.warnings() == []


def test_a_failure_is_told_and_tried_again(shop: World) -> None:
    """The provider stays set; after four refusals nobody can ask more often."""
    shop.issuer.refuses[WILDCARD] = Failure("The issuer says: no TXT record")
    assert not dns(shop)
    assert any("no TXT record" in line for line in shop.progress.lines)
    assert "no TXT record" in shop.wildcards.warnings()[0]
    for _ in range(5):
        dns(shop)
    assert shop.issuer.asked == [WILDCARD] * 4
    shop.issuer.refuses.clear()
    shop.clock.seconds += DAY_S
    shop.wildcards.tend()
    assert shown(shop)[0][1] == (HOST,)


def test_killed_before_the_proxy_showed_it(shop: World) -> None:
    """What looks after certificates has it shown."""
    dns(shop)
    (certificate,) = shop.store.shared_certificates.all()
    shop.store.shared_certificates.replace([certificate])
    assert shop.wildcards.due.any(shop.clock.now())
    shop.wildcards.tend()
    assert not shop.wildcards.due.any(shop.clock.now())
    assert shop.certificate_files.all() == [certificate.id]


def test_off_keeps_the_certificate_until_it_expires(shop: World) -> None:
    """Meanwhile apps get their own; the credentials are gone at once."""
    dns(shop)
    (certificate,) = shop.store.shared_certificates.all()
    assert shop.wildcards.switch_off(ROOT) == certificate
    assert shop.store.shared_certificates.challenge() is None
    assert shown(shop) == [(certificate.id, (HOST,))]
    shop.acme.renew_due()
    assert shop.issuer.asked == [WILDCARD, HOST]
    assert [hosts for id, hosts in shown(shop) if id != certificate.id] == [(HOST,)]
    shop.clock.seconds += 91 * DAY_S
    assert shop.wildcards.due.any(shop.clock.now())
    shop.wildcards.tend()
    assert shop.store.shared_certificates.all() == []
    assert certificate.id not in shop.certificate_files.all()


def test_an_app_s_wildcard_gets_its_own(shop: World) -> None:
    """Once names can be proven by DNS; before that its state says what is missing."""
    shop.sites.change(
        ROOT, "shop", "", lambda _, r: replace(r, domains=("*.shop.org", "shop.org")), shop.progress
    )
    wildcard = shop.acme.status(ROOT, "shop")[1][1]
    assert wildcard.host == "*.shop.org"
    assert "certs:dns" in wildcard.unable
    dns(shop)
    shop.issuer.elsewhere.add("*.shop.org")
    shop.acme.renew_due()
    assert shop.issuer.asked == [WILDCARD, "*.shop.org", "shop.org"]
    assert [proof is not None for proof in shop.issuer.proofs] == [True, True, False]


def test_what_is_no_public_name_has_no_certificate_of_all_apps(shop: World) -> None:
    """But wildcards of apps may have."""
    local = replace(shop.wildcards, due=replace(shop.wildcards.due, host=""))
    assert local.set(ROOT, "cloudflare", (), TOKEN, shop.progress)
    assert shop.issuer.asked == []
    assert not local.due.any(shop.clock.now())


def test_it_is_for_admins_and_a_hook_for_the_operator(shop: World) -> None:
    """A hook is a program of the machine."""
    member, admin = shop.user("bob", Role.MEMBER), shop.user("eve", Role.ADMIN)
    for refused in (
        lambda: shop.wildcards.set(member, "cloudflare", (), TOKEN, shop.progress),
        lambda: shop.wildcards.switch_off(member),
        lambda: shop.wildcards.state(member),
    ):
        with pytest.raises(PaasError) as caught:
            refused()
        assert caught.value.reference == "admins-only"
    with pytest.raises(PaasError, match="by its operator only"):
        shop.wildcards.set(admin, HOOK, ("/bin/true",), "", shop.progress)
    assert shop.wildcards.set(admin, "cloudflare", (), TOKEN, shop.progress)


def test_a_plugin_that_is_missing_changes_nothing(shop: World) -> None:
    """What is set goes on."""
    dns(shop)
    shop.issuer.without_plugin.add("linode")
    with pytest.raises(PaasError):
        dns(shop, "linode", "dns_linode_key = abc")
    found = shop.store.shared_certificates.challenge()
    assert found is not None
    assert found.provider == "cloudflare"


def test_credentials_are_sealed_and_never_shown(shop: World) -> None:
    """In no file, in no output; a new server key opens them, too."""
    dns(shop)
    files = [path for path in shop.folder.rglob("*") if path.is_file()]
    assert [path for path in files if b"s3cret-t0ken" in path.read_bytes()] == []
    assert not any("s3cret-t0ken" in line for line in shop.progress.lines)
    found = shop.store.shared_certificates.challenge()
    assert "s3cret-t0ken" not in repr(found)
    shop.store.sealing.rotate()
    assert shop.store.shared_certificates.challenge() == found


@pytest.mark.parametrize(
    ("provider", "text", "is_good"),
    [
        ("cloudflare", "# Ours\n\ndns_cloudflare_api_token=x\n", True),
        ("cloudflare", "dns_cloudflare_email = a\ndns_cloudflare_api_key = b", True),
        ("cloudflare", "", False),
        ("cloudflare", "s3cret", False),
        ("cloudflare", "dns_linode_key = x", False),
        ("cloudflare", "dns_cloudflare_api_token = \n", False),
        ("cloudflare", "dns_cloudflare_api_token = x\0", False),
        ("cloudflare", "dns_cloudflare_api_token = " + "x" * 20_000, False),
        ("route53", "[default]\naws_access_key_id=a\naws_secret_access_key=b\n", True),
        ("route53", "[default]\naws_access_key_id=a\n", False),
        ("route53", "aws_access_key_id=a\naws_secret_access_key=b\n", False),
        (
            "route53",
            "[default]\naws_access_key_id=a\naws_secret_access_key=b\ncredential_process = id\n",
            False,
        ),
        ("google", '{"type": "service_account", "private_key": "x"}', True),
        ("google", "[]", False),
        ("google", "{", False),
        ("rfc2136", "dns_rfc2136_server = 192.0.2.1\ndns_rfc2136_secret = x", True),
    ],
)
def test_credentials_have_the_form_of_the_plugin(
    shop: World, provider: str, text: str, is_good: bool
) -> None:
    """What is refused is not repeated."""
    if is_good:
        assert challenge(provider, (), text, shop.clock.now()).credentials.reveal() == text
        return
    with pytest.raises(PaasError) as caught:
        challenge(provider, (), text, shop.clock.now())
    assert caught.value.reference == "dns-credentials"
    assert not text or text not in caught.value.report


@pytest.mark.parametrize("hook", [(), ("a",), ("/a b",), ("/a", "/b", "/c"), ("/a;x",)])
def test_a_hook_is_one_program_or_two(shop: World, hook: tuple[str, ...]) -> None:
    """With whole paths and no arguments, since certbot has a shell start it."""
    with pytest.raises(PaasError) as caught:
        challenge(HOOK, hook, "", shop.clock.now())
    assert caught.value.reference == "dns-hook"
    with pytest.raises(PaasError) as caught:
        challenge("no-such", (), "", shop.clock.now())
    assert caught.value.reference == "dns-provider"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_missing_plugin_is_told_with_its_package(shop: World, tmp_path: Path, name: str) -> None:
    """As a command that can be copied."""
    provider = PROVIDERS[name]
    made = replace(challenge(HOOK, ("/bin/true",), "", shop.clock.now()), provider=name, hook=())
    with pytest.raises(PaasError) as caught:
        dns_challenge.refuse_unable(Settings(), made, tmp_path)
    assert caught.value.hint == f"sudo apt-get install {provider.package}"
    (tmp_path / provider.module).mkdir()
    dns_challenge.refuse_unable(Settings(), made, tmp_path)


def test_a_hook_that_cannot_be_run_is_told(shop: World, tmp_path: Path) -> None:
    """Before the issuer is asked, and never as root."""
    program = tmp_path / "hook"
    made = challenge(HOOK, (str(program),), "", shop.clock.now())
    with pytest.raises(PaasError, match="No such file"):
        dns_challenge.refuse_unable(Settings(), made)
    program.write_text("#!/bin/sh\n")
    with pytest.raises(PaasError, match="without rights"):
        dns_challenge.refuse_unable(Settings(), made)
    program.chmod(0o755)
    dns_challenge.refuse_unable(Settings(), made)
    for account, words in (("root", "not run as root"), ("no-such-account", "no account")):
        with pytest.raises(PaasError, match=words):
            dns_challenge.refuse_unable(Settings(alarm_user=account), made)


def test_the_server_s_own_is_asked_for_by_one_process(shop: World) -> None:
    """And only where a place is free."""
    dns(shop)
    shop.clock.seconds += timedelta(days=62).total_seconds()
    assert shop.wildcards.due.is_to_ask(shop.clock.now())
    with shop.order_turns.name(WILDCARD, "somebody"):
        shop.wildcards.tend()
    shop.order_turns.is_full = True
    shop.wildcards.tend()
    assert shop.issuer.asked == [WILDCARD]
    shop.order_turns.is_full = False
    shop.wildcards.tend()
    assert shop.issuer.asked == [WILDCARD] * 2


def test_what_a_plugin_says_becomes_the_reason() -> None:
    """Once: certbot repeats it with the name of its class."""
    failure = failure_of(
        "Requesting a certificate for *.a.test\n"
        "Encountered exception during recovery: certbot.errors.PluginError: The DNS operation "
        "timed out.\nThe DNS operation timed out.\nAsk for help or search for solutions at x\n"
    )
    assert failure.reason == "The DNS operation timed out."
