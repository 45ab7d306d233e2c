"""The command line: ``./inv --list`` shows every task, ``./inv --help TASK`` its flags.

Everyday verbs stand by themselves, what belongs to one noun in a collection of that name. Each task
parses, calls slipway, and gives back what it answers.
"""

from __future__ import annotations

from invoke.collection import Collection

from tasks import (
    bills,
    cache,
    deploys,
    development,
    host,
    inputs,
    load,
    rehearsal,
    secret,
    services,
    tokens,
)

namespace = Collection(
    inputs.lock,
    inputs.fetch,
    inputs.build,
    inputs.push,
    bills.bills,
    bills.audit,
    deploys.deploy,
    deploys.plan,
    deploys.rollback,
    deploys.restart,
    deploys.scale,
    deploys.status,
    deploys.releases,
    deploys.down,
    services.logs,
    services.certificate,
    services.run,
    development.lint,
)
namespace.add_task(services.exec_, name="exec")
namespace.add_task(development.test_, name="test")
namespace.add_collection(
    Collection("rehearsal", rehearsal.up, rehearsal.status, rehearsal.shell, rehearsal.down)
)
namespace.add_collection(
    Collection(
        "secrets",
        secret.list_,
        secret.show,
        secret.edit,
        secret.rotate,
        secret.rotate_all,
        secret.set_,
    )
)
namespace.add_collection(Collection("cache", cache.key, cache.push, cache.pull))
namespace.add_collection(Collection("host", host.add, host.setup, host.doctor))
namespace.add_collection(Collection("tokens", tokens.add, tokens.list_, tokens.revoke))
_bench = Collection("bench", load.load)
_bench.add_task(development.bench, name="all", default=True)
namespace.add_collection(_bench)
namespace.add_collection(
    Collection("dev", development.faults, development.mutate, development.releases)
)
namespace.add_collection(Collection("nix", development.nix_check))
