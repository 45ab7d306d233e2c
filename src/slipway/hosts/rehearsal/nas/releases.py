"""In what the releases of TrueNAS differ, as far as the stand-in behaves by it. Pure.

Source of each switch: middleware at the tags TS-24.10.2.4, TS-25.04.2.6, TS-25.10.6 and
TS-26.0.0-BETA.3, the client (``midclt``) at the release branches of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release of TrueNAS.

    Attributes:
        name: as ``--release`` takes it, such as ``25.10``.
        short: the version, such as ``25.10.6``.
        prefix: what ``system.version`` says before the version.
        json_rpc: JSON-RPC 2.0 at ``/api/current`` is what the client speaks; else only the older
            protocol at ``/websocket`` is there.
        job_answers: a call of a job may be answered by its result (``legacy_jobs`` of
            ``core.set_options``).
        strict: arguments are checked as pydantic does, strictly; else leniently, with other words.
        short_info: ``system.info`` has the short version.
        login_details: what a job's credentials have beside the user's name.
        docker_config: Compose is called with ``--config /etc/docker``.
        checks_compose: Compose is asked about a custom app's file first (25.10.1).
        quotes: YAML is written with every string quoted.
        names_update: an error in an update's Compose file names ``app_update``.
        forced_removal: ``app.delete`` takes ``force_remove_custom_app``.
        networks: ``active_workloads`` has ``networks``.
        host_ips: it has ``used_host_ips``, and ``app.used_host_ips`` is there.
        action_required: entries of apps have it, and ``latest_app_version``.
        unlabelled: a container of a project without a service's name is survived.
        install_logs: what containers wrote is kept in the job when a new app fails.
        backups: ``docker.backup`` and its kin are there.
        moves: ``docker.update`` takes apps along to another pool; it stops apps first.
        mirrors: how ``docker.config`` has registry mirrors: none, two lists, or one list.
        ipv6: ``docker.config`` knows IPv6.
        pool_snapshot: ``pool.snapshot`` is there.
        zfs_snapshot: ``zfs.snapshot`` is there.
        bare_snapshots: snapshots come without properties unless asked for.
        suspend_vms: a snapshot's arguments have ``suspend_vms``.
        job_flag: ``-j`` of midclt is a flag; else it takes the word after it.
        quiet_late: ``-q`` of midclt stands after ``call``.
        stdin: ``-`` of midclt reads an argument from standard input.
        waitready: midclt knows the word ``waitready``, which does nothing.
        run_folder: where the client looks for the socket.
    """

    name: str
    short: str
    prefix: str = "TrueNAS-"
    json_rpc: bool = True
    job_answers: bool = True
    strict: bool = True
    short_info: bool = True
    login_details: tuple[str, ...] = ("login_id", "login_at")
    docker_config: bool = True
    checks_compose: bool = True
    quotes: bool = True
    names_update: bool = True
    forced_removal: bool = True
    networks: bool = True
    host_ips: bool = True
    action_required: bool = False
    unlabelled: bool = False
    install_logs: bool = False
    backups: bool = True
    moves: bool = True
    mirrors: str = "two"
    ipv6: bool = True
    pool_snapshot: bool = True
    zfs_snapshot: bool = True
    bare_snapshots: bool = False
    suspend_vms: bool = False
    job_flag: bool = True
    quiet_late: bool = True
    stdin: bool = False
    waitready: bool = False
    run_folder: str = "/var/run/middleware"

    @property
    def version(self) -> str:
        """What ``system.version`` says."""
        return self.prefix + self.short


RELEASES = {
    release.name: release
    for release in (
        Release(
            "24.10",
            "24.10.2.4",
            prefix="TrueNAS-SCALE-",
            json_rpc=False,
            job_answers=False,
            strict=False,
            short_info=False,
            login_details=(),
            docker_config=False,
            checks_compose=False,
            quotes=False,
            names_update=False,
            forced_removal=False,
            networks=False,
            host_ips=False,
            backups=False,
            moves=False,
            mirrors="none",
            ipv6=False,
            pool_snapshot=False,
            suspend_vms=True,
            job_flag=False,
            quiet_late=False,
            waitready=True,
        ),
        Release(
            "25.04",
            "25.04.2.6",
            job_answers=False,
            login_details=("login_at",),
            checks_compose=False,
            quotes=False,
            names_update=False,
            host_ips=False,
            moves=False,
            mirrors="none",
            pool_snapshot=False,
            suspend_vms=True,
            quiet_late=False,
            waitready=True,
        ),
        Release("25.10", "25.10.6"),
        Release(
            "26",
            "26.0.0-BETA.3",
            action_required=True,
            unlabelled=True,
            install_logs=True,
            mirrors="one",
            zfs_snapshot=False,
            bare_snapshots=True,
            suspend_vms=True,
            stdin=True,
            run_folder="/run/middleware",
        ),
    )
}
