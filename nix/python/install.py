"""Install one wheel with pypa/installer into $out, under /app, and compile it."""

import glob
import importlib.util
import os
import shutil
import sys

sys.path.insert(0, os.environ["installer"])

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile

out, site = os.environ["out"], os.environ["site"]
# The file in the store has another name than the wheel, and installer reads the wheel's name.
named = os.path.join(os.getcwd(), os.environ["wheelName"])
os.symlink(os.environ["wheel"], named)

destination = SchemeDictionaryDestination(
    {
        "purelib": site,
        "platlib": site,
        "headers": "/app/include",
        "scripts": "/app/bin",
        "data": "/app",
    },
    interpreter="/app/bin/python3",
    script_kind="posix",
    bytecode_optimization_levels=[],
    destdir=out,
)
with WheelFile.open(named) as wheel:
    wheel.validate_record(validate_contents=True)
    install(wheel, destination, additional_metadata={"INSTALLER": b"slipway\n"})

# Headers and manual pages are for building, not for running.
for leftover in ("include", "share"):
    shutil.rmtree(os.path.join(out, "app", leftover), ignore_errors=True)

for pattern in os.environ["drop"].split("\n"):
    for path in glob.glob(f"{out}{site}/{pattern}") if pattern else []:
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

spec = importlib.util.spec_from_file_location("compiler", os.environ["compiler"])
compiler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compiler)
compiler.compile_tree(out + site, site)
