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
paths: set[str] = set()
links: dict[str, str] = {}
files: dict[str, object] = {}
owners: dict[str, str] = {}

for tree in trees:
    for folder, folders, names in os.walk(tree):
        inside = folder[len(tree) :]
        for name in names + folders:
            path, full = f"{inside}/{name}", os.path.join(folder, name)
            if os.path.islink(full):
                links[path] = os.readlink(full)
            elif os.path.isfile(full):
                paths.add(path)
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

users: dict[str, list[str]] = {}
for item in elf.missing(files, elf.Tree(paths, links)):
    users.setdefault(item.name, []).append(item.path)
if users:
    for name in sorted(users):
        who = ", ".join(users[name][:3])
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
