"""What is in the images: looked at in the trees that Nix built."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from slipway import config
from slipway.supply.locks import read_debian, read_python

ROOT = Path(__file__).parents[3]
NIX = ["nix", "--extra-experimental-features", "nix-command flakes"]
ROLES = config.load(ROOT).roles
#: Those without Debian's layers, and the others.
BARE = [role for role in ROLES if config.load(ROOT).images[role].bare]
FULL = [role for role in ROLES if role not in BARE]
SITE = "app/lib/python3.13/site-packages"


def nix(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NIX, *arguments], cwd=cwd, capture_output=True, text=True, timeout=1800, check=False
    )


@cache
def built(attribute: str) -> Path:
    done = nix("build", "--no-link", "--json", f".#{attribute}")
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)[0]["outputs"]["out"])


@cache
def image(role: str) -> Any:
    return json.loads(built(f"{role}-image").read_text())


@cache
def trees(role: str) -> tuple[Path, ...]:
    return tuple(Path(layer["paths"][0]["path"]) for layer in image(role)["layers"])


def find(role: str, path: str) -> Path | None:
    """A path of an image in the layer that has it; links of the merged /usr are followed."""
    merged = re.sub(r"^(bin|sbin|lib|lib64)(?=/)", r"usr/\1", path)
    return next((t / merged for t in reversed(trees(role)) if (t / merged).exists()), None)


@pytest.mark.parametrize("role", FULL)
def test_scanners_see_debian(role: str) -> None:
    """/etc/debian_version is a regular file, os-release says debian, as scanners want them."""
    version, release = find(role, "etc/debian_version"), find(role, "usr/lib/os-release")

    assert version is not None and version.is_file() and not version.is_symlink()
    assert version.read_text().startswith("13.")
    assert release is not None and "ID=debian\n" in release.read_text()


@pytest.mark.parametrize("role", FULL)
def test_status_is_the_lock(role: str) -> None:
    """The packages a scanner lists are those of the lock for this role: no more, no fewer."""
    lock = read_debian(ROOT / "nix/locks/debian.json")
    has_python = bool(config.load(ROOT).images[role].python)
    groups = ["layer.base", "layer.libc", "layer.crypto", f"image.{role}"]
    groups += ["layer.python"] if has_python else []
    wanted = {
        f"{name} {lock.packages[name].version}"
        for group in groups
        for name in lock.groups.get(group, ())
    }
    listed = set()
    for tree in trees(role):
        for file in (tree / "var/lib/dpkg/status.d").glob("*"):
            if not file.name.endswith(".md5sums"):
                fields = dict(re.findall(r"^(\S+): (.*)$", file.read_text(), re.MULTILINE))
                assert len(re.findall(r"^Package:", file.read_text(), re.MULTILINE)) == 1
                listed.add(f"{fields['Package']} {fields['Version']}")

    assert listed == wanted


@pytest.mark.parametrize("role", ["api", "postgres", "edge"])
def test_checksums_are_of_what_is_shipped(role: str) -> None:
    """Every line of every md5sums file has two spaces and the sum of a file that is there."""
    checked = 0
    for tree in trees(role):
        for sums in (tree / "var/lib/dpkg/status.d").glob("*.md5sums"):
            for line in sums.read_text().splitlines():
                sum_, path = line.split("  ", 1)
                data = (tree / path).read_bytes()
                assert hashlib.md5(data).hexdigest() == sum_, path
                checked += 1

    assert checked > 50


@pytest.mark.parametrize("role", FULL)
def test_not_root_and_no_shell(role: str) -> None:
    """Every role runs as uid 568, which has a name; only the database has a shell."""
    passwd = find(role, "etc/passwd")
    shells = [find(role, f"usr/bin/{name}") for name in ("sh", "bash", "dash")]

    assert image(role)["image-config"]["User"] == "568:568"
    assert passwd is not None and "apps:x:568:568:" in passwd.read_text()
    assert any(shells) == (role == "postgres")


@pytest.mark.parametrize("role", BARE)
def test_a_bare_image_holds_its_programs_only(role: str) -> None:
    """No package, no shell, no names of users; it runs as uid 568 all the same."""
    files = {
        path.relative_to(tree).as_posix()
        for tree in trees(role)
        for path in tree.rglob("*")
        if path.is_file()
    }
    programs = config.load(ROOT).images[role].programs

    assert programs
    assert files == {f"usr/bin/{name}" for name in programs}
    assert image(role)["image-config"]["User"] == "568:568"


@pytest.mark.parametrize("role", ROLES)
def test_modes(role: str) -> None:
    """Nothing is set-id or writable, but /tmp, which is sticky."""
    for tree in trees(role):
        for path in tree.rglob("*"):
            if not path.is_symlink():
                assert path.stat().st_mode & 0o7222 == 0, path
    rule = image(role)["layers"][0]["paths"][0]["options"]["perms"][0]
    assert rule["mode"] == "1777"
    assert re.search(rule["regex"], f"{trees(role)[0]}/tmp")
    assert not re.search(rule["regex"], f"{trees(role)[0]}/etc")


@pytest.mark.parametrize("role", ROLES)
def test_no_store_path_inside(role: str) -> None:
    """No file name or link of an image points into the Nix store."""
    for tree in trees(role):
        for path in tree.rglob("*"):
            if path.is_symlink():
                assert "/nix/store" not in str(path.readlink()), path


@pytest.mark.parametrize("role", ROLES)
def test_links_lead_somewhere(role: str) -> None:
    """No link of an image dangles."""
    names = {str(p.relative_to(tree)) for tree in trees(role) for p in tree.rglob("*")}
    dangling = []
    for tree in trees(role):
        for path in tree.rglob("*"):
            if path.is_symlink():
                place = path.relative_to(tree)
                target = Path("/") / place.parent / path.readlink()
                plain = os.path.normpath(target).lstrip("/")
                merged = re.sub(r"^(bin|sbin|lib|lib64)(?=/)", r"usr/\1", plain)
                if merged not in names:
                    dangling.append(f"{place} -> {path.readlink()}")

    assert dangling == []


def test_roles_share_their_layers() -> None:
    """Roles share the longest chain: the same digests in the same order, from the bottom."""
    chains = {role: [layer["digest"] for layer in image(role)["layers"]] for role in FULL}

    assert all(chain[:3] == chains["api"][:3] for chain in chains.values())
    for role in ("worker", "beat", "flower", "cli"):
        assert chains[role][:6] == chains["api"][:6]
    assert chains["worker"][:-1] == chains["cli"][:-1]
    assert chains["beat"][-1] == chains["flower"][-1], "they do without the same folders"
    assert max(len(chain) for chain in chains.values()) <= 8


@pytest.mark.parametrize("role", [role for role in ROLES if config.load(ROOT).images[role].python])
def test_a_role_has_the_folders_that_it_does_not_do_without(role: str) -> None:
    """What it excludes is not there, the application's other folders are."""
    settings = config.load(ROOT)
    without = {*settings.exclude, *settings.images[role].exclude, "__pycache__"}
    folders = {path.name for path in (ROOT / settings.source).iterdir() if path.is_dir()}

    here = find(role, f"{SITE}/langflix")

    assert here
    assert {path.name for path in here.iterdir() if path.is_dir()} - {"__pycache__"} == (
        folders - without
    )


def test_certificates() -> None:
    """The bundle holds Debian's certificates."""
    bundle = find("api", "etc/ssl/certs/ca-certificates.crt")

    assert bundle is not None
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 100


def test_byte_code_is_there_and_unchecked() -> None:
    """Every module of the standard library and of every wheel has unchecked-hash byte code."""
    counted = 0
    for tree in trees("worker"):
        for source in tree.rglob("*.py"):
            if source.is_symlink():
                continue
            target = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert target.read_bytes()[4:8] == b"\x01\0\0\0", target
            counted += 1

    assert counted > 1500


def test_byte_code_names_the_final_place() -> None:
    """A traceback names the file's place in the image, not that of the build."""
    code = find("api", f"{SITE}/langflix/__pycache__/__init__.cpython-313.pyc")

    assert code is not None
    data = code.read_bytes()
    assert f"/{SITE}/langflix/__init__.py".encode() in data
    assert b"/build/" not in data


@pytest.mark.parametrize("role", ["api", "worker"])
def test_requirements_of_wheels_are_met(role: str) -> None:
    """The wheels of a role are those of its sets, each with its metadata."""
    lock = read_python(ROOT / "nix/locks/python.json")
    names = {n for s in config.load(ROOT).images[role].python for n in lock.sets[s]}
    found = {
        re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower()
        for tree in trees(role)
        for path in tree.glob(f"{SITE}/*.dist-info")
    }

    assert found == names


def copy_of_nix(target: Path) -> None:
    """The parts of the checkout that Nix reads, for a test to change."""
    for name in ("nix", "src/langflix", "src/slipway/supply", "deploy"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("flake.nix", "flake.lock", "slipway.toml"):
        shutil.copy(ROOT / name, target / name)


def change_lock(root: Path, change: Any) -> None:
    path = root / "nix/locks/debian.json"
    lock = json.loads(path.read_text())
    change(lock)
    path.write_text(json.dumps(lock))


def test_a_missing_library_stops_the_build(tmp_path: Path) -> None:
    """Without a package whose library nginx needs there is no image, and the library is named."""
    copy_of_nix(tmp_path)
    change_lock(tmp_path, lambda lock: lock["groups"]["image.frontend"].remove("libpcre2-8-0"))

    done = nix("build", "--no-link", f"path:{tmp_path}#frontend-image")

    assert done.returncode != 0
    assert "libpcre2-8.so.0 is needed by /usr/sbin/nginx" in done.stderr


def test_a_missing_input_says_what_to_do(tmp_path: Path) -> None:
    """An input that the store lacks ends in one sentence that names it and ./inv fetch."""
    copy_of_nix(tmp_path)

    def change(lock: Any) -> None:
        lock["packages"]["haproxy"]["sha256"] = "0" * 63 + "1"

    change_lock(tmp_path, change)

    done = nix("build", "--no-link", f"path:{tmp_path}#edge-image")

    assert done.returncode != 0
    assert re.search(r"haproxy_\S+\.deb is not in the Nix store: run \./inv fetch", done.stderr)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    """A lock of a later format is refused by name instead of being misread."""
    copy_of_nix(tmp_path)
    change_lock(tmp_path, lambda lock: lock.update(format=3))

    done = nix("build", "--no-link", f"path:{tmp_path}#edge-image")

    assert "debian.json has format 3, this version knows 2" in done.stderr


def test_the_same_bytes_again() -> None:
    """Building the application's layers a second time gives the same bytes."""
    names = ["api-application", "api-application-json", "api-base", "postgres-files"]

    done = nix("build", "--no-link", "--rebuild", *(f".#layers.x86_64-linux.{n}" for n in names))

    assert done.returncode == 0, done.stderr


def test_a_syntax_error_stops_the_build(tmp_path: Path) -> None:
    """Application code that is no Python makes no image, and the file is named."""
    copy_of_nix(tmp_path)
    (tmp_path / "src/langflix/broken.py").write_text("def broken(:\n")

    done = nix("build", "--no-link", f"path:{tmp_path}#api-image")

    assert done.returncode != 0
    assert "langflix/broken.py" in done.stderr


def test_packages_that_are_not_locked_stop_the_build(tmp_path: Path) -> None:
    """A role whose packages the lock does not have yet is refused, not built without them."""
    copy_of_nix(tmp_path)
    change_lock(tmp_path, lambda lock: lock["groups"].pop("image.edge"))

    done = nix("build", "--no-link", f"path:{tmp_path}#edge-image")

    assert "the lock has no packages for image.edge; run ./inv lock" in done.stderr
