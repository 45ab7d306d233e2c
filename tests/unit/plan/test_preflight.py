"""Preflight names every reason at once, before anything is changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.errors import DeployError, HostError
from slipway.plan.preflight import (
    Facts,
    Needs,
    check,
    parse_facts,
    problems,
    published_ports,
)

GOOD = Facts("26.1.5+dfsg1", "2.26.1-4", "x86_64", 10**10, 10**10, True, frozenset({22}))
NEEDS = Needs(10**6, frozenset({8080}), "/pool/app")


def test_a_good_host_has_no_problem() -> None:
    """A recent Docker with room and free ports passes."""
    assert problems(GOOD, NEEDS) == ()
    check("nas", GOOD, NEEDS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"docker": "19.3.1"}, "Docker 19.3.1 is too old"),
        ({"compose": "2.3.3"}, "Docker Compose 2.3.3 is too old"),
        ({"compose": "1.29.2"}, "Docker Compose 1.29.2 is too old"),
        ({"architecture": "aarch64"}, "its processor is aarch64"),
        ({"docker_free": 10**8}, "100.0 MB are free for images; 102.0 MB are needed"),
        ({"app_free": 0}, "0 B are free at /pool/app"),
        ({"writable": False}, "/pool/app can't be written"),
        ({"listening": frozenset({8080})}, "port 8080 is in use by another program"),
        (
            {"made_from": frozenset({"/pool/app/releases/1/c.json", "/pool/application/c.json"})},
            "deployed from /pool/application/c.json, not from /pool/app: take that one down first",
        ),
    ],
)
def test_each_problem_has_its_sentence(change: dict[str, object], said: str) -> None:
    """What is wrong, and what would be right, is in the sentence."""
    (line,) = problems(replace(GOOD, **change), NEEDS)  # type: ignore[arg-type]
    assert said in line


def test_all_problems_are_in_one_error() -> None:
    """The error names the first problem, counts the others and lists all; exit code 5."""
    bad = replace(GOOD, writable=False, architecture="arm", listening=frozenset({8080}))
    with pytest.raises(DeployError, match=r"and 2 more\); nothing was changed") as caught:
        check("nas", bad, NEEDS)
    assert len(caught.value.details) == 3
    assert caught.value.exit_code == 5


def test_own_ports_are_no_problem() -> None:
    """A port that this application's own containers publish is free for it."""
    busy = replace(GOOD, listening=frozenset({8080}), own_ports=frozenset({8080}))
    assert problems(busy, NEEDS) == ()


def test_nothing_to_send_needs_no_room_for_images() -> None:
    """With no image to send a full image disk is no reason to refuse a repair."""
    assert problems(replace(GOOD, docker_free=0), replace(NEEDS, bytes_to_send=0)) == ()


def test_published_ports() -> None:
    """Short, long and ranged forms count; other protocols and inner ports don't."""
    ports = ["8080:80", "127.0.0.1:81:80/tcp", "53:53/udp", "90", "100-102:1-3",
             {"target": 1, "published": "200"}, {"target": 1, "published": 201, "protocol": "udp"},
             "[::1]:300:1"]  # fmt: skip
    assert published_ports({"a": {"ports": ports}, "b": {"ports": ["1:1"]}}, ["a"]) == {
        8080, 81, 100, 101, 102, 200, 300,
    }  # fmt: skip


def test_facts_are_read() -> None:
    """What the host prints becomes facts; listening ports are hexadecimal."""
    text = "arch=x86_64\napp_free_kb=2\ndocker_free_kb=3\nwritable=yes\nlisten=1F90\nlisten=0016\n"
    assert parse_facts(text, docker="26", compose="2.26", host="nas") == Facts(
        "26", "2.26", "x86_64", 3072, 2048, True, frozenset({8080, 22})
    )


@pytest.mark.parametrize("text", ["", "arch=x", "arch=x\napp_free_kb=\ndocker_free_kb=1\n"])
def test_unreadable_facts_are_a_host_error(text: str) -> None:
    """A host that doesn't answer the questions can't be used; exit code 4."""
    with pytest.raises(HostError) as caught:
        parse_facts(text, docker="26", compose="2", host="nas")
    assert caught.value.exit_code == 4
