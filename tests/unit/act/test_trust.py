"""Who vouches for a stack, and what it is that a host says of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.demo import world

from slipway.act.doors import Doors
from slipway.act.program import run
from slipway.act.trust import read_roots, trusting
from slipway.doors import Completed
from slipway.errors import DeployError
from slipway.hosts.counting import CountingHost
from slipway.plan.actions import Run
from slipway.testing import FakeHost, FakeHttp, FakeShell
from slipway.web import HttpxHttp

PATH = "/app/data/certificate/root.pem"
ROOT = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def doors(said: Completed | str = ROOT) -> Doors:
    """A host whose file holds that."""
    host = FakeHost(name="nas")
    host.on("cat", PATH, reply=said)
    return replace(world().doors, host=CountingHost(host), http=FakeHttp())


def test_a_hosts_own_authority_is_trusted() -> None:
    """What its file holds is handed to who asks the stack."""
    here = doors()
    http = trusting(here, PATH)
    assert isinstance(http, FakeHttp)
    assert http.trusted == [ROOT]


@pytest.mark.parametrize(
    ("said", "path"), [(Completed((), 1, b"", b"No such file"), PATH), (ROOT, "")]
)
def test_without_one_the_systems_do(said: Completed | str, path: str) -> None:
    """A file that is not there, as where the certificate is another's, is nothing to trust."""
    here = doors(said)
    assert trusting(here, path) is here.http
    assert read_roots(here, path) == ""


def test_what_is_no_certificate_is_said() -> None:
    """With the file's path and what to do."""
    here = replace(doors("hunter2"), http=HttpxHttp())
    with pytest.raises(DeployError, match=f"{PATH} on nas should be a certificate") as caught:
        trusting(here, PATH)
    assert "hunter2" not in str(caught.value)


def test_a_job_trusts_it_beside_the_systems() -> None:
    """The file of authorities that the job is told of has both, and is gone afterwards."""
    shell, seen = FakeShell(), []

    def job(argv: tuple[str, ...], data: bytes) -> int:
        seen.append(Path(shell.environments[-1]["SSL_CERT_FILE"]).read_text("utf-8"))
        return 0

    shell.on("python3", reply=job)
    run(replace(doors(), shell=shell), Run(("python3",), (), PATH))
    assert seen[0].endswith(ROOT)
    assert not Path(shell.environments[-1]["SSL_CERT_FILE"]).exists()
