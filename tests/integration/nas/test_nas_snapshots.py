"""Snapshots as a deploy takes, uses and destroys them, by the client that TrueNAS brings along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.nas.bench import Nas

import slipway

DATA = "tank/apps/web"
# Run as on the host: the client there knows its socket, here it is told.
DRIVER = """\
import json, sys
import truenas_api_client
from slipway.runner.datasets import HostDatasets
from slipway.runner.failure import Failed
told = json.load(sys.stdin)
real = truenas_api_client.Client
truenas_api_client.Client = lambda: real(told["uri"])
host = HostDatasets()
try:
    if told["act"] == "put_back":
        answer = host.put_back(told["words"][0], told["words"][1], lambda: None, room=True)
    else:
        answer = getattr(host, told["act"])(*told["words"])
    print(json.dumps({"answer": answer}))
except Failed as failed:
    print(json.dumps({"failed": failed.cause.message}))
"""


def did(nas: Nas, act: str, *words: object) -> Any:
    """What came of an act on the host."""
    source = str(Path(slipway.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": f"{nas.libraries}:{source}"}
    request = json.dumps({"uri": nas.uri, "act": act, "words": words})
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=request, capture_output=True, text=True, timeout=60,
        check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told.get("failed", told.get("answer"))


def by(nas: Nas) -> str:
    """Whose methods there are."""
    return "pool.snapshot" if nas.release.pool_snapshot else "zfs.snapshot"


def test_data_go_back_and_forward_and_no_snapshot_is_lost(nas: Nas) -> None:
    """Also of the dataset below; a second of the name is refused, and one destroyed is gone."""
    for name in (DATA, f"{DATA}/db"):
        nas.call("pool.dataset.create", {"name": name, "create_ancestors": True})
    web = nas.pool / "apps/web"
    paths = [str(web), str(web / "db")]
    (web / "film").write_text("one")
    (web / "db/table").write_text("rows")
    (web / "db/table").chmod(0o600)

    assert did(nas, "take", by(nas), DATA, "before") is None
    assert "could be taken: " in did(nas, "take", by(nas), DATA, "before")
    (web / "film").unlink()
    (web / "more").mkdir()
    (web / "db/table").write_text("other rows")
    assert did(nas, "take", by(nas), DATA, "left") is None

    assert did(nas, "put_back", paths, "before") is None
    assert ((web / "film").read_text(), (web / "db/table").read_text()) == ("one", "rows")
    assert not (web / "more").exists()
    assert did(nas, "put_back", paths, "left") is None
    assert ((web / "film").exists(), (web / "db/table").read_text()) == (False, "other rows")
    assert (web / "more").is_dir()

    assert did(nas, "destroy", by(nas), DATA, "before") == ""
    assert did(nas, "destroy", by(nas), DATA, "before") == ""
    names = nas.call(f"{by(nas)}.query", [], {"select": ["name"]})
    assert names == [{"name": f"{DATA}@left"}, {"name": f"{DATA}/db@left"}]
    assert "is not there" in did(nas, "put_back", paths, "before")


def test_one_that_is_held_stays_and_says_so(nas2510: Nas) -> None:
    """By the person's own word; that is no failure."""
    nas2510.call("pool.dataset.create", {"name": "tank/held"})
    assert did(nas2510, "take", "pool.snapshot", "tank/held", "kept") is None
    nas2510.call("pool.snapshot.hold", "tank/held@kept")
    assert "dataset is busy" in did(nas2510, "destroy", "pool.snapshot", "tank/held", "kept")
