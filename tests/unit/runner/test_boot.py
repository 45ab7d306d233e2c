"""What stands ready for the next boot while a run goes on."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from slipway.runner.boot import AtBoot

ARGV = ("/usr/bin/python3", "-I", "/mnt/my tank/runner/a.pyz", "settle", "/mnt/my tank")


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_a_systemd_host_gets_a_unit_that_is_wanted(tmp_path: Path) -> None:
    """The unit waits for Docker, its words are quoted, and the link to it leads there."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/local.d").mkdir()
    at_boot = AtBoot("shop", "/mnt/my tank", str(tmp_path))
    assert at_boot.arm(ARGV)
    assert at_boot.arm(ARGV)
    unit = tmp_path / "etc/systemd/system/slipway-shop.service"
    text = unit.read_text()
    assert "After=docker.service" in text
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert line == "ExecStart=" + " ".join(f'"{word}"' for word in ARGV)
    link = tmp_path / "etc/systemd/system/multi-user.target.wants/slipway-shop.service"
    assert link.resolve() == unit
    at_boot.disarm()
    assert _files(tmp_path) == []


def test_words_of_a_unit_are_nothing_to_systemd(tmp_path: Path) -> None:
    """Percent signs, dollars, quotes and backslashes are doubled or escaped."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    AtBoot("shop", "/a%b", str(tmp_path)).arm(("/p", 'a%b$c"d\\e'))
    text = (tmp_path / "etc/systemd/system/slipway-shop.service").read_text()
    assert 'ExecStart="/p" "a%%b$$c\\"d\\\\e"\n' in text
    assert "broke off in /a%%b\n" in text


def test_an_openrc_host_gets_a_program_that_does_not_hold_up_its_boot(tmp_path: Path) -> None:
    """The program may be executed, starts the words as they are, and does not wait for them."""
    (tmp_path / "etc/local.d").mkdir(parents=True)
    told = tmp_path / "told file"
    at_boot = AtBoot("shop", "/mnt/my tank", str(tmp_path))
    assert at_boot.arm(("/bin/sh", "-c", f"echo $0 >'{told}'; touch '{told}.end'", "a b"))
    program = tmp_path / "etc/local.d/slipway-shop.start"
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert program.read_text().endswith("&\n")
    waiting = program.read_text().replace("&\n", "\n")
    program.write_text(waiting)
    subprocess.run([str(program)], check=True, timeout=30)
    assert told.read_text() == "a b\n"
    at_boot.disarm()
    assert not program.exists()


def test_a_host_without_a_place_for_it_is_left_as_it_is(tmp_path: Path) -> None:
    """Nothing is written where neither is there, or where it can't be."""
    assert not AtBoot("shop", "/a", str(tmp_path)).arm(ARGV)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert not AtBoot("shop", "/a", str(tmp_path)).arm(ARGV)
    assert _files(tmp_path) == []
    AtBoot("shop", "/a", str(tmp_path)).disarm()
