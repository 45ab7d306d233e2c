"""Bills signed and believed by the real ssh-keygen; every way to falsify them has its sentence."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tasks
from tests.unit.bills import place

from slipway.app.bills import check_bills, texts, write_bills
from slipway.app.signed import Signed, believed, signed_sums, try_key
from slipway.app.workspace import Workspace
from slipway.bills.inventory import bill_of
from slipway.bills.signature import ALLOWED, LINE, NAMESPACE
from slipway.bills.sums import image_files
from slipway.commandline import CommandLine
from slipway.errors import BuildError, ConfigError, SupplyError
from slipway.images.values import Image
from slipway.report import Report
from slipway.shell import LocalShell

ROOT = Path(__file__).resolve().parents[3]
QUIET = Report(quiet=True)


def run(*argv: str | Path, data: bytes = b"", env: dict[str, str] | None = None) -> bytes:
    """A program's standard output; it has to succeed."""
    env = {**os.environ, **(env or {})}
    return subprocess.run(argv, input=data, env=env, capture_output=True, check=True).stdout


def new_key(path: Path, *more: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path, *more)
    return path


@dataclass(frozen=True)
class Site:
    """A checkout with its signers, and the bills of two images that were never built by Nix."""

    root: Path
    key: Path
    stranger: Path
    honest: Mapping[str, str]

    @property
    def files(self) -> dict[str, str]:
        """Bills, configurations and manifests of the images, by name."""
        return dict(self.honest)

    @property
    def folder(self) -> Path:
        return self.root / "bills"

    def allow(self, *lines: str) -> None:
        (self.root / ALLOWED).write_text("".join(f"{line}\n" for line in lines))

    def public(self, key: Path) -> str:
        return key.with_name(f"{key.name}.pub").read_text().strip()

    def sign(self, key: Path, files: dict[str, str] | None = None) -> None:
        files = self.files if files is None else files
        made = signed_sums(LocalShell(), QUIET, key, files)
        write_bills(self.folder, (), {**files, **made})

    def believe(self) -> Signed:
        signed = believed(LocalShell(), QUIET, self.root, self.folder)
        assert signed is not None
        return signed

    def attempt(self, key: Path) -> None:
        try_key(LocalShell(), QUIET, self.root, key)

    def refused(self) -> BuildError:
        with pytest.raises(BuildError) as caught:
            self.believe()
        assert (caught.value.exit_code, caught.value.stage) == (3, "bills")
        assert caught.value.hint
        return caught.value


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("image")
    images = [place.image_at(folder, role=role) for role in ("api", "worker")]
    bills = [bill_of(image, place.locks(), place.DECLARED) for image in images]
    return {**texts(bills, "app", "", QUIET), **image_files(images)}


@pytest.fixture
def site(tmp_path: Path, honest: dict[str, str]) -> Site:
    """Signed by anna, whom the checkout names."""
    (tmp_path / "deploy").mkdir()
    made = Site(tmp_path, new_key(tmp_path / "keys/anna"), new_key(tmp_path / "keys/eve"), honest)
    made.allow(
        "# who may sign bills",
        f'anna@example.org namespaces="{NAMESPACE}" {made.public(made.key)}',
    )
    made.sign(made.key)
    return made


def test_signed_bills_are_believed_and_other_programs_read_them(site: Site) -> None:
    """By name of the signer; sha256sum finds every file right, ssh-keygen alone the signature."""
    signed = site.believe()

    assert signed.signer == "anna@example.org"
    assert set(signed.sums) == set(site.files)
    assert check_bills(site.folder, (), site.files, signed.signer).signer == signed.signer
    told = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=site.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.count(": OK\n") == len(signed.sums)
    sums = site.folder / "SHA256SUMS"
    run("ssh-keygen", "-Y", "verify", "-f", site.root / ALLOWED, "-I", signed.signer,
        "-n", NAMESPACE, "-s", f"{sums}.sig", data=sums.read_bytes())  # fmt: skip


def rewrite(change: Callable[[str], str]) -> Callable[[Site], object]:
    """Falsify the sums."""

    def falsify(site: Site) -> object:
        sums = site.folder / "SHA256SUMS"
        return sums.write_text(change(sums.read_text()))

    return falsify


def falsify_bill_and_sums(site: Site) -> None:
    """Another version in a bill, and the sum that fits: only the signature can tell."""
    files = site.files
    files["api.cdx.json"] = files["api.cdx.json"].replace("3.5.9", "3.5.8")
    made = signed_sums(LocalShell(), QUIET, site.stranger, files)
    (site.folder / "api.cdx.json").write_text(files["api.cdx.json"])
    (site.folder / "SHA256SUMS").write_text(made["SHA256SUMS"])


def for_something_else(site: Site) -> None:
    """A signature that the same key made for another purpose."""
    sums = (site.folder / "SHA256SUMS").read_bytes()
    made = run("ssh-keygen", "-Y", "sign", "-f", site.key, "-n", "file", data=sums)
    (site.folder / "SHA256SUMS.sig").write_bytes(made)


def bill(change: Callable[[Path], object], name: str = "api.cdx.json") -> Callable[[Site], object]:
    return lambda site: change(site.folder / name)


KEY_ENDED = 'anna@example.org valid-before="20200101" '
FALSIFIED: dict[str, tuple[Callable[[Site], object], str, str]] = {
    "no sums": (
        bill(Path.unlink, "SHA256SUMS"),
        r"has no SHA256SUMS: nobody says that these bills are right", "",
    ),
    "no signature": (
        bill(Path.unlink, "SHA256SUMS.sig"),
        r"has no SHA256SUMS\.sig: nobody says that these bills are right", "",
    ),
    "a stranger's signature": (
        lambda site: site.sign(site.stranger),
        r"SHA256SUMS\.sig is of nobody whom deploy/allowed_signers names",
        r"ED25519 key SHA256:",
    ),
    "a signature cut off": (
        bill(lambda path: path.write_text(path.read_text()[:60]), "SHA256SUMS.sig"),
        r"can't be read as a signature of bills: it is damaged", r"[Cc]ouldn't parse signature",
    ),
    "a signature for something else": (
        for_something_else, r"it is damaged, or for something else", r"namespace does not match",
    ),
    "sums changed": (
        rewrite(lambda text: text.replace("api.cdx.json", "api.xml.json")),
        r"is no signature of .*/SHA256SUMS: one of the two was changed", r"incorrect signature",
    ),
    "a bill taken out of the sums": (
        rewrite(lambda text: "".join(text.splitlines(keepends=True)[1:])),
        r"is no signature of .*/SHA256SUMS: one of the two was changed", r"incorrect signature",
    ),
    "a bill and its sum changed": (
        falsify_bill_and_sums,
        r"is no signature of .*/SHA256SUMS: one of the two was changed", r"incorrect signature",
    ),
    "a bill changed": (
        bill(lambda path: path.write_text(path.read_text().replace("3.5.9", "3.5.8"))),
        r"has not the bills that anna@example\.org signed", r"\Aapi\.cdx\.json was changed\Z",
    ),
    "a bill missing": (
        bill(Path.unlink, "app.spdx.json"),
        r"has not the bills that anna@example\.org signed", r"\Aapp\.spdx\.json is missing\Z",
    ),
    "a bill added": (
        bill(lambda path: path.write_text("{}"), "spy.cdx.json"),
        r"has not the bills that anna", r"\Aspy\.cdx\.json is there and was not signed\Z",
    ),
    "an image's id changed": (
        bill(lambda path: path.write_text(path.read_text() + " "), "api.config.json"),
        r"has not the bills that anna", r"\Aapi\.config\.json was changed\Z",
    ),
    "a key that has expired": (
        lambda site: site.allow(KEY_ENDED + site.public(site.key)),
        r"is of nobody whom deploy/allowed_signers names", r"key has expired",
    ),
    "a key for other uses": (
        lambda site: site.allow(f'anna@example.org namespaces="git" {site.public(site.key)}'),
        r"knows the key behind .*, of anna@example\.org, and not for bills", r"not permitted",
    ),
    "signers that can't be read": (
        lambda site: site.allow("anna@example.org nonsense"),
        r"is of nobody whom deploy/allowed_signers names", r"allowed_signers:1: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FALSIFIED)
def test_what_is_falsified_is_refused(site: Site, what: str) -> None:
    """With its own sentence, what ssh-keygen says or the file that is wrong, a hint, and code 3."""
    falsify, sentence, detail = FALSIFIED[what]
    site.believe()

    falsify(site)

    error = site.refused()
    assert re.search(sentence, error.message), error.message
    assert not detail or any(re.search(detail, line) for line in error.details), error.details


def test_no_byte_of_a_signature_can_be_another(site: Site) -> None:
    """Each byte flipped by itself, but for one that nothing follows from.

    That is the last of the format's version, which becomes 0: ssh-keygen takes whatever is not
    above its own.
    """
    path = site.folder / "SHA256SUMS.sig"
    first, *body, last = path.read_text().splitlines()
    whole = base64.b64decode("".join(body))
    version = len(b"SSHSIG") + 3
    refusals = set()
    for index in set(range(len(whole))) - {version}:
        flipped = bytearray(whole)
        flipped[index] ^= 1
        path.write_text(f"{first}\n{base64.b64encode(flipped).decode()}\n{last}\n")
        refusals.add(site.refused().message.replace(str(path), "IT").partition(":")[0])
    assert len(whole) > 150
    assert refusals == {
        f"IT is no signature of {path.with_suffix('')}",
        "IT can't be read as a signature of bills",
    }


def test_bills_of_other_images_are_refused(site: Site) -> None:
    """Signed well, and of an image with one other byte: not what this checkout builds."""
    config = site.files["api.config.json"]
    changed = {**site.files, "api.config.json": config.replace("layer", "Layer", 1)}
    site.sign(site.key, changed)

    signed = site.believe()

    with pytest.raises(BuildError, match=r"1 of 10 bills in .* are not of these images") as caught:
        check_bills(site.folder, (), site.files, signed.signer)
    assert caught.value.details == ("api.config.json is not what the images are made of",)
    assert str(caught.value.hint).startswith("anna@example.org signed those of another build")


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An ssh-agent of the test's own."""
    told = run("ssh-agent", "-s", "-a", tmp_path / "agent").decode()
    found = re.search(r"SSH_AGENT_PID=(\d+)", told)
    assert found is not None
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield
    run("ssh-agent", "-k", env={"SSH_AGENT_PID": found[1]})


@pytest.mark.usefixtures("agent")
def test_a_key_in_an_agent_signs(site: Site) -> None:
    """Its public half is a file, its private half nowhere; without it in the agent that is said."""
    run("ssh-add", "-q", site.key)
    site.key.unlink()
    public = site.key.with_name("anna.pub")
    shutil.rmtree(site.folder)

    site.sign(public)
    assert site.believe().signer == "anna@example.org"

    run("ssh-add", "-q", "-D")
    with pytest.raises(
        BuildError, match=r"anna\.pub could not sign; nothing was written"
    ) as caught:
        site.sign(public)
    assert "No private key found" in caught.value.details[-1]


def test_a_key_with_a_passphrase_that_nobody_types_is_refused(site: Site) -> None:
    """ssh-keygen asks at the terminal; a wrong one is no traceback, and nothing is written."""
    key = site.root / "keys/locked"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key)
    shutil.rmtree(site.folder)
    ask = site.root / "ask"
    ask.write_text("#!/bin/sh\necho wrong\n")
    ask.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSH_ASKPASS", str(ask))
        patch.setenv("SSH_ASKPASS_REQUIRE", "force")
        with pytest.raises(BuildError, match="could not sign") as caught:
            site.sign(key)
    assert "incorrect passphrase" in " ".join(caught.value.details)
    assert not site.folder.exists()


def test_without_ssh_keygen_nothing_is_believed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with the package that has it."""
    monkeypatch.setenv("PATH", str(site.root))
    monkeypatch.setattr("slipway.supply.programs._FOLDERS", ())
    with pytest.raises(SupplyError, match="openssh-client") as caught:
        site.believe()
    assert "apt-get install openssh-client" in str(caught.value.hint)


def test_an_old_ssh_keygen_is_said_to_be_old(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is that of OpenSSH 7.9, which knows no -Y."""
    old = site.root / "old/ssh-keygen"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'unknown option -- Y\nusage: ssh-keygen' >&2\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    with pytest.raises(SupplyError, match="is too old for signatures"):
        site.believe()
    with pytest.raises(SupplyError, match="is too old for signatures"):
        site.sign(site.key)


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("ben@example.org {eve}", "ED25519 key SHA256:"),
        ('anna@example.org valid-before="20200101" {anna}', "key has expired"),
        ('anna@example.org namespaces="git" {anna}', "not permitted"),
        ("anna@example.org nonsense", "allowed_signers:1: "),
    ],
)
def test_a_key_that_may_not_sign_is_refused_before_a_build(
    site: Site, line: str, detail: str
) -> None:
    """Of nobody, too old, or for something else: known from a trial, with what would let it."""
    site.allow(line.format(anna=site.public(site.key), eve=site.public(site.stranger)))
    with pytest.raises(
        ConfigError, match=r"does not let .* sign bills; nothing was built"
    ) as caught:
        site.attempt(site.key)
    assert any(detail in one for one in caught.value.details), caught.value.details
    assert 'namespaces="bills@slipway"' in str(caught.value.hint)


def test_a_key_that_may_sign_passes_the_trial(site: Site) -> None:
    """Named for bills, or where nobody is asked for."""
    site.attempt(site.key)
    (site.root / ALLOWED).unlink()
    site.attempt(site.stranger)


def test_what_is_no_key_is_refused_before_a_build(site: Site) -> None:
    """A key of TLS, a text, one that others may read: each with its cause."""
    text = site.root / "own.pem"
    text.write_text("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")
    text.chmod(0o600)
    with pytest.raises(ConfigError, match=r"own\.pem is no key of OpenSSH"):
        site.attempt(text)
    site.key.chmod(0o644)
    with pytest.raises(BuildError, match="could not sign; nothing was written") as caught:
        site.attempt(site.key)
    assert caught.value.hint == f"others may read it: chmod 600 {site.key}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--sign {root}/keys/eve",
            "deploy/allowed_signers does not let {root}/keys/eve sign bills",
        ),
        ("--sign {root}/keys/anna.txt", "{root}/keys/anna.txt is no key of OpenSSH"),
        ("--sign {root}/none", "there is no key {root}/none"),
        ("--sign {root}/keys/anna --output {root}/other", "has bills that are none of these"),
        ("--sign {root}/keys/anna --format spdx --output {root}/bills", "that are none of these"),
        ("--output {root}/keys/anna", "{root}/keys/anna is no folder; nothing was built"),
        ("--check {root}/none", "there is no folder {root}/none; nothing was compared"),
        ("--check {root}/none --host nas", "there is no folder {root}/none; nothing was compared"),
        ("--format xml", "there is no format xml; nothing was built"),
        ("--role nobody", "there is no role nobody; nothing was built"),
    ],
)
def test_what_is_known_before_is_refused_before_a_build(
    site: Site,
    words: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Code 2, and nothing is built for it: this checkout can't build at all."""

    class Unbuilt(Workspace):
        def images(self, **_: Any) -> tuple[Image, ...]:
            raise AssertionError("it built")

    shutil.copy(ROOT / "slipway.toml", site.root)
    (site.root / "keys/anna.txt").write_text("no key\n")
    (site.root / "other").mkdir()
    (site.root / "other/spy.cdx.json").write_text("{}")
    monkeypatch.setattr("slipway.app.workspace.Workspace", Unbuilt)
    monkeypatch.setattr("tasks.command.ROOT", site.root)
    with pytest.raises(SystemExit, match="2"):
        line = ["./inv", "bills", *words.format(root=site.root).split()]
        CommandLine(namespace=tasks.namespace, binary="./inv").run(line)
    out, err = capsys.readouterr()
    assert said.format(root=site.root) in err
    assert "hint: " in err
    assert out == ""


def test_the_line_that_is_told_lets_a_key_sign_bills(site: Site) -> None:
    """As it stands in the hints, with a name and what the .pub has."""
    line = LINE.replace("NAME", "eve@example.org").replace("KEY", site.public(site.stranger))
    site.allow(line)
    site.attempt(site.stranger)
    site.sign(site.stranger)
    assert site.believe().signer == "eve@example.org"


def test_what_ssh_keygen_says_is_shown(site: Site) -> None:
    """A token's wish to be touched comes by the same way."""
    talk = io.StringIO()
    signed_sums(LocalShell(), Report(err=talk), site.key, {"a.json": "1"})
    assert "Signing data on standard input" in talk.getvalue()
