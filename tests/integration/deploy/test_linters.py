"""Workflow and shell script, read by the linters made for them."""

from __future__ import annotations

import json
import subprocess

from tests.integration.deploy.rooms import ROOT

from slipway.supply.nixtool import FEATURES


def test_actionlint_finds_nothing_in_the_workflow() -> None:
    """The workflow is valid: keys, expressions, actions' inputs, and shell in it."""
    built = subprocess.run(
        ["nix", *FEATURES, "build", "--no-link", "--json", ".#actionlint"],
        cwd=ROOT,
        capture_output=True,
        timeout=600,
    )
    assert built.returncode == 0, built.stderr.decode()
    program = json.loads(built.stdout)[0]["outputs"]["out"] + "/bin/actionlint"
    done = subprocess.run([program, "-no-color"], cwd=ROOT, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.decode()) == (0, "")
