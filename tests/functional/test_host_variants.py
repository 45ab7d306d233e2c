"""Hosts of other shapes: older and newer Docker and Compose, containerd's store, few programs.

What :mod:`tests.functional.variants` lays over the rehearsal host's programs; each is deployed to
over SSH, as any server.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.functional import variants
from tests.functional.conftest import Site
from tests.functional.variants import Variant, host_of, scenario

BARE = Variant("bare", variants.bare, delta=False)
LONG = (
    Variant("oldest-docker", variants.oldest, docker="20.10"),
    Variant("containerd-store", variants.containerd_store),
    Variant("docker-29", variants.docker_29, docker="29"),
    Variant("ipv6", variants.ipv6, docker="29", ipv6=True),
    Variant("oldest-compose", variants.oldest_compose),
    Variant("newest-compose", variants.newest_compose),
    Variant("busybox", variants.busybox, delta=False),
)


@pytest.mark.long  # tests/integration/hosts and tests/integration/act leave out each program
def test_a_host_with_few_programs_is_deployed_to(site: Site, tmp_path: Path) -> None:
    """Without python3, zstd and timeout: all of it, a changed line beside what runs, and back."""
    with host_of(site, BARE, tmp_path) as info:
        scenario(site, BARE, info)


@pytest.mark.long  # what each shape says is read in tests/unit/hosts, tests/integration/hosts
@pytest.mark.parametrize("variant", LONG, ids=str)
def test_hosts_of_other_shapes_are_deployed_to(
    site: Site, variant: Variant, tmp_path: Path
) -> None:
    """All of it, a changed line beside what runs, and back."""
    with host_of(site, variant, tmp_path) as info:
        assert info.docker_version.startswith(variant.docker)
        scenario(site, variant, info)
