"""Fail when a library that an image needs is not in it; list packages that nothing needs.

$trees are the image's layer trees, $elf the reader of ELF files.
Writes {"files", "unneeded"} to $out.
"""

import importlib.util
import json
import os
import sys

spec = importlib.util.spec_from_file_location("elf", os.environ["elf"])
elf = importlib.util.module_from_spec(spec)
sys.modules["elf"] = elf
spec.loader.exec_module(elf)

trees = os.environ["trees"].split()
present: set[str] = set()
files: dict[str, object] = {}
owners: dict[str, str] = {}

for tree in trees:
    for folder, folders, names in os.walk(tree):
        inside = folder[len(tree) :]
        for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = f"{inside}/{name}"
            present.add(path)
            full = os.path.join(folder, name)
            if os.path.islink(full) or not os.path.isfile(full):
                continue
            with open(full, "rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
                file.seek(0)
                parsed = elf.parse(file.read())
            if parsed is not None:
                files[path] = parsed
    status = f"{tree}/var/lib/dpkg/status.d"
    for name in os.listdir(status) if os.path.isdir(status) else []:
        if name.endswith(".md5sums"):
            with open(f"{status}/{name}", encoding="utf-8") as file:
                for line in file:
                    path = line.rstrip("\n").split("  ", 1)[1]
                    owners[f"/{path}"] = name.removesuffix(".md5sums")


def exists(path: str) -> bool:
    """Whether a path is in the image, whichever layer has it; links count as being there."""
    return path in present or path.replace("/lib/", "/usr/lib/", 1) in present


missing = elf.unresolved(files, exists)
if missing:
    for name, users in missing.items():
        who = ", ".join(users[:3])
        print(f"{name} is needed by {who} and is not in the image", file=sys.stderr)
    sys.exit(1)

needed = {name for parsed in files.values() for name in parsed.needed}
by_owner: dict[str, list[str]] = {}
for path in files:
    if path in owners:
        by_owner.setdefault(owners[path], []).append(path)


def offers_only_libraries(paths: list[str]) -> bool:
    """Whether every ELF file of a package is a shared library in a library folder."""
    return all(os.path.dirname(path) in elf.DEFAULT_FOLDERS for path in paths)


unneeded = sorted(
    package
    for package, paths in by_owner.items()
    if offers_only_libraries(paths)
    and not any(files[path].soname in needed or os.path.basename(path) in needed for path in paths)
)
with open(os.environ["out"], "w", encoding="utf-8") as file:
    json.dump({"files": len(files), "unneeded": unneeded}, file)
