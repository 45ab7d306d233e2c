"""What ssh-keygen is asked, and what becomes of its answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bills import signature
from slipway.doors import Completed
from slipway.errors import BuildError, ConfigError, SlipwayError, SupplyError
from slipway.testing import FakeShell

SIGNATURE, ALLOWED = Path("/bills/SHA256SUMS.sig"), Path("/deploy/allowed_signers")
GOOD = 'Good "bills@slipway" signature with ED25519 key SHA256:abc\n'


def failed(words: str) -> Completed:
    return Completed((), 255, b"", words.encode())


def asked(**answers: Completed | str) -> FakeShell:
    """A shell whose ssh-keygen answers by verb."""
    shell = FakeShell()
    for verb, answer in answers.items():
        shell.on("ssh-keygen", "-Y", verb.replace("_", "-"), reply=answer)
    return shell


def test_the_signer_is_the_first_who_may() -> None:
    """One key may stand on several lines, and only some of them be for bills."""
    shell = asked(check_novalidate=GOOD, find_principals="anna\nben\nanna\n")
    shell.on(
        "ssh-keygen",
        "-Y",
        "verify",
        reply=lambda argv, _: GOOD if "ben" in argv else failed("not permitted"),
    )

    assert signature.signer_of(shell, b"sums", SIGNATURE, ALLOWED) == "ben"

    assert [call[call.index("-I") + 1] for call in shell.calls if "-I" in call] == ["anna", "ben"]
    for call, data in zip(shell.calls, shell.inputs, strict=True):
        whole = call[2] != "find-principals"  # who only looks for a key reads nothing
        assert (call[-4:-2] == ("-n", signature.NAMESPACE)) == whole
        assert (data == b"sums") == whole


@pytest.mark.parametrize(
    ("shell", "sentence", "detail"),
    [
        (
            asked(check_novalidate=failed("Signature verification failed: incorrect signature")),
            "SHA256SUMS.sig is no signature of /bills/SHA256SUMS: one of the two was changed",
            "Signature verification failed: incorrect signature",
        ),
        (
            asked(check_novalidate=failed("Couldn't parse signature: missing header")),
            "can't be read as a signature of bills: it is damaged",
            "Couldn't parse signature: missing header",
        ),
        (
            asked(check_novalidate=GOOD, find_principals=failed("No principal matched.")),
            "is of nobody whom deploy/allowed_signers names",
            "ED25519 key SHA256:abc",
        ),
        (
            asked(check_novalidate=GOOD, find_principals="\n".join(["anna", ""]),
                  verify=failed("key is not permitted")),
            "knows the key behind /bills/SHA256SUMS.sig, of anna, and not for bills",
            "key is not permitted",
        ),
    ],
)  # fmt: skip
def test_each_refusal_has_its_sentence(shell: FakeShell, sentence: str, detail: str) -> None:
    """With what ssh-keygen said as a detail, a next step, and the code of what can't be built."""
    with pytest.raises(BuildError, match=sentence) as caught:
        signature.signer_of(shell, b"sums", SIGNATURE, ALLOWED)
    assert (caught.value.details[0], caught.value.exit_code) == (detail, 3)
    assert caught.value.hint


@pytest.mark.parametrize("words", ["unknown option -- Y", 'Unsupported operation for -Y: "sign"'])
def test_an_old_program_is_said_to_be_old(words: str) -> None:
    """Not that a signature is bad, which it isn't known to be."""
    for verb in ("sign", "check_novalidate"):
        shell = asked(**{verb: failed(f"{words}\nusage: …")})
        with pytest.raises(SupplyError, match="too old for signatures") as caught:
            if verb == "sign":
                signature.sign(shell, Path("/key"), b"", print)
            else:
                signature.signer_of(shell, b"", SIGNATURE, ALLOWED)
        assert caught.value.details == (words,)


def test_a_key_is_a_file(tmp_path: Path) -> None:
    """Its path is looked at before anything is built."""
    with pytest.raises(ConfigError, match="there is no key") as caught:
        signature.key_at(str(tmp_path / "gone"))
    assert "ssh-keygen -t ed25519" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("words", "kind", "sentence", "hint"),
    [
        ("Couldn't load public key /k/own.pem: No such file or directory", ConfigError,
         "own.pem is no key of OpenSSH, or one whose public half is not in own.pem.pub beside it",
         "ssh-keygen -y -f KEY >KEY.pub"),
        ("@@@@\n@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\n@@@@\nPermissions 0644", BuildError,
         "own.pem could not sign; nothing was written", "others may read it: chmod 600 /k/own.pem"),
        ('No private key found for public key "/k/own.pem"', BuildError,
         "own.pem could not sign; nothing was written", "ssh-add -l"),
    ],
)  # fmt: skip
def test_a_key_that_does_not_sign_has_its_cause(
    words: str, kind: type[SlipwayError], sentence: str, hint: str
) -> None:
    """And its own next step; frames of the program's warnings are left out."""
    with pytest.raises(kind, match=sentence) as caught:
        signature.sign(asked(sign=failed(words)), Path("/k/own.pem"), b"", print)
    assert hint in str(caught.value.hint)
    assert not any(line.startswith("@@") for line in caught.value.details)
    assert caught.value.details[-1] == words.splitlines()[-1]
