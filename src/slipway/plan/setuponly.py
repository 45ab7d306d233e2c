"""What a TrueNAS lacks whose login user has no right to Docker: people make all of it. Pure.

Whoever could be asked to make a dataset, or to give a right, is an administrator; the user that
deploys is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from slipway.hosts.roles import lacking
from slipway.hosts.site import NasSite, Site
from slipway.hosts.table import TABLE
from slipway.plan.needs import ROLES, SNAPSHOT_ROLES
from slipway.plan.setup import Thing, Wanted, person

_PRIVILEGES = "Credentials > Groups > Privileges > Add: a group of the user's, and these roles"


def plan_only(
    wanted: Wanted, site: Site, held: frozenset[str], *, snapshots: bool
) -> tuple[Thing, ...]:
    """What such a host has, and lacks.

    Args:
        wanted: what it is to be.
        site: what was seen of it.
        held: the login user's roles in TrueNAS.
        snapshots: whether snapshots of the data are wanted.
    """
    login = Thing("login", f"{site.user} logs in by a key, and the host is known")
    if site.nas is None:
        how = f"leave `mode` out of {TABLE}"
        return (login, person("release", "it is no TrueNAS, which this `mode` is for", how))
    return (login, *_of_nas(wanted, site, site.nas, held, snapshots=snapshots))


def _of_nas(
    wanted: Wanted, site: Site, nas: NasSite, held: frozenset[str], *, snapshots: bool
) -> Iterator[Thing]:
    if nas.release is None or not nas.release.works:
        said = nas.release.text if nas.release else "nothing of its release"
        what = f"TrueNAS says {said}, and 24.10 is the oldest that works"
        yield person("release", what, "System > Update")
        return
    yield Thing("release", f"TrueNAS {nas.release.text}")
    missing = lacking((*ROLES, *(SNAPSHOT_ROLES if snapshots else ())), held)
    if missing:
        yield person("roles", f"{site.user} lacks {', '.join(missing)}", _PRIVILEGES)
    else:
        yield Thing("roles", f"{site.user} may have TrueNAS start and stop apps")
    if nas.pool:
        yield Thing("pool", f"apps are on the pool {nas.pool}")
    else:
        yield person("pool", "no pool is chosen for apps", "Apps > Configuration > Choose Pool")
    yield _folder(wanted, site)
    yield _data(wanted, site, nas)


def _folder(wanted: Wanted, site: Site) -> Thing:
    path, state = wanted.app_dir, site.folders.get(wanted.app_dir)
    if state is not None and state.folder and site.writable:
        return Thing("folder", f"{path}, where {site.user} may write")
    what = f"{site.user} may not write in {path}" if state else f"{path} is not there"
    how = f"Datasets > Add Dataset, preset Generic; then Edit Permissions > Owner: {site.user}"
    return person("folder", what, how)


def _data(wanted: Wanted, site: Site, nas: NasSite) -> Thing:
    name = wanted.data_dir.removeprefix("/mnt/")
    if name in nas.datasets:
        return Thing("data", f"the dataset {name}")
    if site.folders.get(wanted.data_dir) is not None:
        what = f"{wanted.data_dir} is a folder of another dataset, without snapshots of its own"
        return Thing("data", what)
    how = f"Datasets > Add Dataset, preset Generic; then Edit Permissions > Owner: {site.user}"
    return person("data", f"{wanted.data_dir} is no dataset of its own", how)
