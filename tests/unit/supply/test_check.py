"""What a lock says is compared with what the indexes say; a falsified lock is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import LockError
from slipway.report import Report
from slipway.supply import check, uv
from slipway.supply.check import Finding
from slipway.supply.locks import DebianLock, Package, PythonLock, Wheel, read_debian
from slipway.testing import FakeShell

LOCK = read_debian(Path(__file__).parents[3] / "nix/locks/debian.json")
WHEEL = Wheel("a", "1.0", "a-1.0-py3-none-any.whl", 7, "a" * 64)
OTHER = Wheel("b", "2.0", "b-2.0-py3-none-any.whl", 7, "b" * 64)


def listed() -> list[Package]:
    """What signed indexes say that agree with the committed lock."""
    return list(LOCK.packages.values())


def falsified(name: str, **changes: Any) -> DebianLock:
    package = replace(LOCK.packages[name], **changes)
    return replace(LOCK, packages={**LOCK.packages, name: package})


def test_a_lock_that_agrees() -> None:
    """A lock whose every entry stands in an index has no finding."""
    assert check.compare_debian(LOCK, listed()) == []


def test_a_falsified_package() -> None:
    """A package whose other bytes' hash was put into the lock is found, with both hashes."""
    (finding,) = check.compare_debian(falsified("haproxy", sha256="0" * 64), listed())

    assert (finding.lock, finding.name) == ("debian", "haproxy")
    assert LOCK.packages["haproxy"].sha256 in finding.what
    assert "0" * 64 in finding.what


@pytest.mark.parametrize("change", [{"size": 1}, {"path": "pool/main/x/x_1_amd64.deb"}])
def test_other_fields_are_compared(change: dict[str, Any]) -> None:
    """A size or a path that the index doesn't have is found."""
    assert len(check.compare_debian(falsified("haproxy", **change), listed())) == 1


def test_a_version_nobody_has() -> None:
    """A version that no index lists is found, with those it lists."""
    (finding,) = check.compare_debian(falsified("haproxy", version="0.1"), listed())

    assert finding.what.startswith("no signed index has this version; there are: ")
    assert LOCK.packages["haproxy"].version in finding.what


def test_one_of_several_indexes_is_enough() -> None:
    """A package that an update replaced still stands in the index it came from."""
    newer = replace(LOCK.packages["haproxy"], version="9", sha256="9" * 64)

    assert check.compare_debian(LOCK, [newer, *listed()]) == []


def test_everything_at_once() -> None:
    """All findings come together, in one error with code 3 and in JSON."""
    packages = {name: replace(p, sha256="0" * 64) for name, p in LOCK.packages.items()}
    findings = check.compare_debian(replace(LOCK, packages=packages), listed())
    error = check.Unvouched(findings)

    assert len(findings) == len(LOCK.packages)
    assert error.exit_code == 3
    assert len(error.details) == len(findings)
    shown: Any = error.to_json()["findings"]
    assert shown[0]["lock"] == "debian"


def release(wheel: Wheel, **changes: Any) -> dict[str, Any]:
    row = {"url": f"file:///w/{wheel.file_name}", "hashes": {"sha256": wheel.sha256}, **changes}
    return {"name": wheel.name, "version": wheel.version, "wheels": [row]}


def test_wheels() -> None:
    """A wheel stands in the index by its name and its hash."""
    assert check.compare_wheel(WHEEL, [release(WHEEL)]) is None
    wrong = check.compare_wheel(WHEEL, [release(WHEEL, hashes={"sha256": "c" * 64})])
    gone = check.compare_wheel(WHEEL, [release(WHEEL, url="file:///w/a-1.0-cp313-none-any.whl")])

    assert wrong == Finding(
        "python", "a", "1.0", f"the index has sha256 {'c' * 64}, the lock {'a' * 64}"
    )
    assert gone == Finding("python", "a", "1.0", "the index has no a-1.0-py3-none-any.whl")


def test_a_release_that_is_gone_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """When one wheel's release is gone, the others are looked at all the same."""

    def resolve(shell: Any, wanted: list[str], **_: Any) -> list[dict[str, Any]]:
        if "b==2.0" in wanted:
            raise LockError("none", details=["× No solution found when resolving dependencies:"])
        return [release(WHEEL, hashes={"sha256": "c" * 64})]

    monkeypatch.setattr(uv, "resolve", resolve)
    lock = PythonLock({}, "3.13", {"a": WHEEL, "b": OTHER}, {})

    found = check._python(FakeShell(), lock, Report(quiet=True))

    assert [finding.name for finding in found] == ["a", "b"]
    assert found[1].what == "the index has no wheel of this version"


def test_an_unreached_index_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that doesn't answer vouches for nothing and against nothing: an error."""

    def resolve(*_: Any, **__: Any) -> list[dict[str, Any]]:
        raise LockError("uv failed", details=["error: Failed to fetch: dns error"])

    monkeypatch.setattr(uv, "resolve", resolve)

    with pytest.raises(LockError, match="uv failed"):
        check._python(FakeShell(), PythonLock({}, "3.13", {"a": WHEEL}, {}), Report(quiet=True))


def test_go_sums() -> None:
    """Each line of go.sum is the one that Go writes anew, or is told."""
    fresh = "m/a v1.0.0 h1:one=\nm/a v1.0.0/go.mod h1:two=\n"
    locked = "m/a v1.0.0 h1:evil=\nm/a v1.0.0/go.mod h1:two=\nm/b v2.0.0/go.mod h1:three=\n"

    assert check.compare_go(fresh, fresh) == []
    assert check.compare_go(locked, fresh) == [
        Finding("go", "m/a", "v1.0.0", "its sum is h1:one=, the lock has h1:evil="),
        Finding("go", "m/b", "v2.0.0/go.mod", "Go needs it for nothing"),
    ]
