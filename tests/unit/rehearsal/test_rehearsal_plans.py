"""Names, addresses and the boot document of rehearsal hosts: values in, values out."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.doors import Completed
from slipway.errors import ConfigError, HostError
from slipway.hosts.rehearsal import machine, nasfiles, network, spec, truenas
from slipway.hosts.rehearsal.values import Places, RehearsalInfo, check_name
from slipway.testing import FakeShell

PLACES = Places(Path("/srv/checkout/.slipway/rehearsal/stage"))
KEYS = spec.Keys("PRIVATE", "ssh-ed25519 PUBLIC")
V1 = spec.Cgroups(1, ("cpu,cpuacct", "memory"))
HEX = st.text("0123456789abcdef", min_size=10, max_size=10)
BUSY = st.lists(
    st.builds(
        lambda a, b: ipaddress.IPv4Network((f"10.213.{a}.0", b), strict=False),
        st.integers(0, 255),
        st.integers(17, 32),
    ),
    max_size=20,
)
INFO = RehearsalInfo(
    name="stage",
    address="10.213.0.2",
    ssh_port=22,
    user="root",
    key_path="/k",
    known_hosts_path="/h",
    tree="/t",
    state_dir="/s",
    booted_at="2026-01-01T00:00:00+00:00",
    docker_version="26.1.5",
)


@pytest.mark.parametrize("name", ["a", "stage-2", "a" + "b" * 20])
def test_good_names_pass(name: str) -> None:
    """A small letter followed by letters, digits and hyphens is a name."""
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "-a", "a_b", "../a", "a/b", "a b", "a\n", "é", "a" * 22]
)
def test_bad_names_are_refused_with_a_hint(name: str) -> None:
    """Anything else is a configuration error that says what a name is."""
    with pytest.raises(ConfigError) as caught:
        check_name(name)
    assert caught.value.exit_code == 2
    assert caught.value.hint is not None


@given(HEX, BUSY)
def test_addresses_are_free_and_stable(key: str, busy: list[ipaddress.IPv4Network]) -> None:
    """A host's addresses lie in the pools, overlap nothing known and are the same each time."""
    net = network.choose(key, busy)
    assert net.prefixlen == 30
    assert any(net.subnet_of(pool) for pool in network.POOLS)
    assert not any(net.overlaps(other) for other in busy)
    assert network.choose(key, busy) == net


def test_second_pool_serves_machines_that_route_the_first() -> None:
    """Where all of 10.0.0.0/8 goes elsewhere, addresses come from the second range."""
    net = network.choose("0123456789", [ipaddress.IPv4Network("10.0.0.0/8")])
    assert net.subnet_of(network.POOLS[1])


def test_no_free_address_is_a_sentence() -> None:
    """When every address is taken the error names the ranges and --host local."""
    with pytest.raises(HostError) as caught:
        network.choose("0123456789", network.POOLS)
    assert "10.213.0.0/16" in caught.value.message
    assert caught.value.hint is not None
    assert "--host local" in caught.value.hint


def test_known_networks_are_addresses_and_routes_without_the_default() -> None:
    """Addresses count with their whole network, routes with theirs, default routes not at all."""
    addresses = [{"addr_info": [{"local": "192.0.2.2", "prefixlen": 24}]}, {"ifname": "x"}]
    routes = [{"dst": "default"}, {"dst": "10.213.0.4/30"}, {"dst": "10.9.9.9"}]
    taken = network.read_taken(json.dumps(addresses).encode(), json.dumps(routes).encode())
    assert [str(net) for net in taken] == ["10.9.9.9/32", "10.213.0.4/30", "192.0.2.0/24"]


@pytest.mark.parametrize("text", [b"{}x", b'[{"addr_info": [{}]}]', b"[1]"])
def test_other_output_of_ip_is_refused(text: bytes) -> None:
    """What isn't the output of ip never passes for an empty machine."""
    with pytest.raises(ValueError, match=r".+"):
        network.read_taken(text, b"[]")


def test_two_ends_of_a_wire_differ() -> None:
    """This machine has the first usable address, the host the second."""
    net = ipaddress.IPv4Network("10.213.0.4/30")
    assert (network.here(net), network.there(net)) == ("10.213.0.5/30", "10.213.0.6/30")


@given(st.from_regex(r"/[a-z]{1,200}/[a-z][a-z0-9-]{0,20}", fullmatch=True))
def test_interface_names_fit_the_kernel(path: str) -> None:
    """Whatever the state folder is called, the interface's name has at most 15 characters."""
    assert len(Places(Path(path)).interface) <= 15


def test_same_name_in_two_checkouts_is_two_hosts() -> None:
    """Interface, group and marker come from the folder, so checkouts don't meet."""
    other = Places(Path("/srv/other/.slipway/rehearsal/stage"))
    assert other.name == PLACES.name
    assert other.interface != PLACES.interface
    assert other.group != PLACES.group
    assert other.marker != PLACES.marker


def test_v1_cgroups_keep_controllers_that_share_a_hierarchy_together() -> None:
    """Each v1 hierarchy is mounted with all its controllers, the unified one is left out."""
    text = "4:name=systemd:/\n3:cpu,cpuacct:/\n2:memory:/a:b\n1:pids:/\n5:devices:/\n0::/\n"
    found = spec.read_cgroups(text)
    assert found.version == 1
    assert found.hierarchies == ("cpu,cpuacct", "devices", "memory", "name=systemd", "pids")


@pytest.mark.parametrize("text", ["0::/user.slice\n", "1:name=systemd:/\n0::/\n"])
def test_v2_cgroups_are_seen(text: str) -> None:
    """Without a v1 controller that matters the unified hierarchy is used."""
    assert spec.read_cgroups(text) == spec.Cgroups(2, ())


@pytest.mark.parametrize(("text", "word"), [("", "cgroups"), ("1:memory:/\n0::/\n", "pids")])
def test_cgroups_that_cannot_limit_are_refused(text: str, word: str) -> None:
    """Missing controllers are named, with the way around."""
    with pytest.raises(HostError, match=word) as caught:
        spec.read_cgroups(text)
    assert "--host local" in (caught.value.hint or "")


def _document() -> dict[str, object]:
    return spec.make(PLACES, "/tree", "10.213.0.6/30", KEYS, V1)


def _files() -> dict[str, dict[str, object]]:
    files = _document()["files"]
    assert isinstance(files, list)
    return {str(file["path"]): file for file in files}


def test_private_files_are_private() -> None:
    """The host's key and the shadow file are readable by root alone, sudoers by no other."""
    files = _files()
    assert files[spec.HOST_KEY]["mode"] == 0o600
    assert files["/etc/shadow"]["mode"] == 0o600
    assert files["/etc/sudoers"]["mode"] == 0o440


def test_docker_is_set_up_as_on_truenas() -> None:
    """Docker keeps its data on the pool's dataset, with overlay2 and cgroupfs."""
    settings = json.loads(str(_files()["/etc/docker/daemon.json"]["text"]))
    assert settings["data-root"] == "/mnt/.ix-apps/docker"
    assert settings["storage-driver"] == "overlay2"
    assert settings["exec-opts"] == ["native.cgroupdriver=cgroupfs"]


def test_names_resolve_at_the_host_itself() -> None:
    """The name server is the host's own address, where nobody listens: unknown names fail fast."""
    assert "nameserver 10.213.0.6\n" in str(_files()["/etc/resolv.conf"]["text"])


def test_every_account_has_a_group_and_none_a_password() -> None:
    """passwd, group and shadow agree with each other."""
    groups = {line.split(":")[2] for line in spec.GROUP.splitlines()}
    for line in spec.passwd("/bin/bash").splitlines():
        assert line.count(":") == 6
        assert line.split(":")[3] in groups
    assert all(line.split(":")[1] == "*" for line in spec.SHADOW.splitlines())


def test_fingerprint_follows_programs_and_settings() -> None:
    """Equal inputs give equal fingerprints; another tree or program gives another."""
    same = spec.fingerprint(_document(), ("x",))
    assert same == spec.fingerprint(_document(), ("x",))
    other = spec.make(PLACES, "/tree2", "10.213.0.6/30", KEYS, V1)
    assert same != spec.fingerprint(other, ("x",))
    assert same != spec.fingerprint(_document(), ("y",))


def test_info_survives_its_json_form() -> None:
    """to_json and from_json are each other's reverse."""
    assert RehearsalInfo.from_json(json.loads(json.dumps(INFO.to_json()))) == INFO


@pytest.mark.parametrize(
    "data", [None, [], {}, {**INFO.to_json(), "more": 1}, {**INFO.to_json(), "tree": 3}]
)
def test_broken_info_is_refused(data: object) -> None:
    """A damaged info.json never becomes a host."""
    with pytest.raises(ValueError, match=r".+"):
        RehearsalInfo.from_json(data)


def test_file_system_of_a_folder_is_that_of_its_deepest_mount() -> None:
    """The longest mount point counts, the last of equals, and escaped blanks are read."""
    mountinfo = (
        "1 0 8:1 / / rw - ext4 /dev/a rw\n"
        "2 1 0:5 / /srv rw shared:1 - xfs /dev/b rw\n"
        "3 1 0:6 / /srv/my\\040disk rw - btrfs /dev/c rw\n"
        "4 1 0:7 / /srv rw - overlay overlay rw\n"
    )
    assert machine.file_system(mountinfo, Path("/srvx")) == "ext4"
    assert machine.file_system(mountinfo, Path("/srv/a")) == "overlay"
    assert machine.file_system(mountinfo, Path("/srv/my disk/a")) == "btrfs"
    assert machine.mounts_below(mountinfo, Path("/srv/my disk")) == ("/srv/my disk",)


def test_machine_without_veth_gets_a_sentence() -> None:
    """When the kernel can't lay the wire, the error says so with the kernel's words."""
    shell = FakeShell()
    told = Completed(("ip",), 2, b"", b"Error: Unknown device type.\n")
    shell.on("ip", "link", "add", reply=told)
    with pytest.raises(HostError, match="veth") as caught:
        machine.plug(shell, "slip0", "10.213.0.5/30", 7)
    assert caught.value.details == ("Error: Unknown device type.",)
    assert len(shell.calls) == 1


def _nas(release: str) -> dict[str, Any]:
    shape = truenas.shape(PLACES, release)
    return spec.make(PLACES, "/tree", "10.213.0.6/30", KEYS, V1, shape)


@pytest.mark.parametrize("release", nasfiles.RELEASES)
def test_a_nas_has_its_accounts_its_service_and_its_client(release: str) -> None:
    """The admin logs in to zsh, is an administrator, and sudo asks for a password."""
    document = _nas(release)
    texts = {file["path"]: file["text"] for file in document["files"]}
    assert (
        "truenas_admin:x:950:950:Local Administrator:/home/truenas_admin:/usr/bin/zsh"
        in texts["/etc/passwd"]
    )
    assert "builtin_administrators:x:544:truenas_admin" in texts["/etc/group"]
    assert "NOPASSWD" not in texts["/etc/sudoers"]
    assert {"/usr/bin/midclt", "/etc/version"} <= set(texts)
    assert len(texts) == len(document["files"]), "each path is written once"
    (service,) = document["init"]["services"]
    assert service["argv"][-2:] == ("--release", release)
    assert "AllowTcpForwarding no" in texts["/etc/ssh/sshd_config"]
    # Since 25.10 everybody's shell finds zfs.
    assert ("/etc/zsh/zshenv" in texts) == (release in ("25.10", "26"))


def test_a_nas_can_be_written_where_truenas_can() -> None:
    """The dataset of apps is there before Docker's data, which lies in it."""
    document = _nas("25.10")
    targets = [bind["target"] for bind in document["binds"]]
    assert targets.index("/mnt/.ix-apps") < targets.index("/mnt/.ix-apps/docker")
    assert all(place.startswith(tuple(document["writable"])) for place in document["noexec"])
    plain = _document()
    assert plain["noexec"] == plain["writable"] == []


@pytest.mark.parametrize("release", ["", *nasfiles.RELEASES])
def test_releases_that_can_be_stood_in_for_pass(release: str) -> None:
    """Those, and none in particular."""
    truenas.check_release(release)


@pytest.mark.parametrize("release", ["25", "24.04", "25.10.6", "core"])
def test_other_releases_are_refused_with_those_there_are(release: str) -> None:
    """A wrong word in --release is told as one."""
    with pytest.raises(ConfigError) as caught:
        truenas.check_release(release)
    assert "24.10, 25.04, 25.10, 26" in (caught.value.hint or "")
