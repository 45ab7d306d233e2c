"""uv is set to what pip is set to, and resolves for the image's Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.doors import Completed
from slipway.errors import LockError
from slipway.supply import uv, wheels
from slipway.testing import FakeShell

PIP = (sys.executable, "-m", "pip", "config", "list")
UV = (sys.executable, "-m", "uv", "pip", "compile")
CONFIG = """\
:env:.index-url='https://env.example/simple'
global.cert='/etc/ca.crt'
global.extra-index-url='https://one.example/s\\nhttps://two.example/s'
global.index-url='https://file.example/simple'
install.no-index='true'
download.timeout='3'
wheel.index-url='https://other.example/simple'
"""


def test_pip_settings() -> None:
    """A variable goes over a section, a section over global; other commands' don't count."""
    found = uv.parse_pip_config(CONFIG)

    assert found["index-url"] == "https://env.example/simple"
    assert found["extra-index-url"].split() == ["https://one.example/s", "https://two.example/s"]


def test_as_uv_takes_them(tmp_path: Path) -> None:
    """Index, further indexes, certificates; folders that aren't there are passed over."""
    settings = uv.parse_pip_config(CONFIG) | {"find-links": f"/no/such/folder {tmp_path}"}

    variables, flags = uv.from_pip(settings)

    assert variables["UV_DEFAULT_INDEX"] == "https://env.example/simple"
    assert variables["UV_INDEX"] == "https://one.example/s https://two.example/s"
    assert variables["SSL_CERT_FILE"] == "/etc/ca.crt"
    assert variables["UV_FIND_LINKS"] == str(tmp_path)
    assert flags == ("--no-index",)


def test_a_machine_that_sets_nothing() -> None:
    """Without settings of pip's uv keeps its own."""
    variables, flags = uv.from_pip({})

    assert "UV_DEFAULT_INDEX" not in variables
    assert flags == ()


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever pip prints, it is read or passed over."""
    uv.from_pip(uv.parse_pip_config(text))


def test_uv_is_asked_for_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target's Python and platform are named; wheels only; the index stands in no argument."""
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    shell = FakeShell()
    shell.on(*PIP, reply="global.index-url='https://user:secret@x.example/simple'\n")
    shell.on(*UV, reply='[[packages]]\nname = "a"\nversion = "1"\n')

    found = uv.resolve(shell, ["a"], python="3.13", platform="x86_64-manylinux_2_40")

    argv = shell.calls[-1]
    assert found == [{"name": "a", "version": "1"}]
    assert argv[argv.index("--python-version") + 1] == "3.13"
    assert argv[argv.index("--python-platform") + 1] == "x86_64-manylinux_2_40"
    assert "--only-binary" in argv
    assert not [word for word in argv if "secret" in word]


def test_uvs_reasons_are_told() -> None:
    """When there is no solution the error has uv's words."""
    shell = FakeShell()
    shell.on(*PIP, reply="")
    shell.on(*UV, reply=Completed((), 1, b"", b"No solution found: because"))

    with pytest.raises(LockError) as caught:
        uv.resolve(shell, ["a"], python="3.13", platform="x")

    assert caught.value.details == ("No solution found: because",)


def package(*names: str, **changes: object) -> dict[str, object]:
    rows = [{"url": f"file:///{name}", "size": 9, "hashes": {"sha256": name}} for name in names]
    return {"name": "A_b", "version": "1", "wheels": rows, **changes}


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (("a_b-1-py3-none-any.whl", "a_b-1-cp313-cp313-manylinux_2_17_x86_64.whl"), 1),
        (("a_b-1-cp313-cp313-manylinux_2_28_x86_64.whl",
          "a_b-1-cp313-cp313-manylinux_2_17_x86_64.whl"), 0),
        (("a_b-1-cp39-abi3-manylinux2014_x86_64.whl", "a_b-1-py3-none-any.whl"), 0),
        (("a_b-1-cp312-cp312-manylinux2014_x86_64.whl", "a_b-1-py2.py3-none-any.whl"), 1),
        (("a_b-1-cp313-cp313-musllinux_1_2_x86_64.whl", "a_b-1-py3-none-any.whl"), 1),
    ],
)  # fmt: skip
def test_the_wheel_that_suits_best(names: tuple[str, ...], best: int) -> None:
    """Of a release's wheels the one for the image's Python is chosen, whatever Python runs here."""
    chosen = wheels.choose(package(*names), wheels.ranks("3.13"))

    assert (chosen.name, chosen.file_name) == ("a-b", names[best])


def test_no_wheel_suits() -> None:
    """A release without a wheel for the image is an error that names it."""
    with pytest.raises(LockError, match="a-b 1"):
        wheels.choose(package("a_b-1-cp313-cp313-win_amd64.whl"), wheels.ranks("3.13"))
