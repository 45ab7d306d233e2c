"""Byte code of Debian's standard library, and /app with its Python, into $out."""

import importlib.util
import os
import shutil

out, version = os.environ["out"], os.environ["version"]
stdlib = f"/usr/lib/python{version}"

spec = importlib.util.spec_from_file_location("compiler", os.environ["compiler"])
compiler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compiler)

work = os.path.join(os.getcwd(), "tree")
for tree in os.environ["trees"].split():
    if os.path.isdir(tree + stdlib):
        shutil.copytree(tree + stdlib, work, dirs_exist_ok=True, symlinks=True)
        for folder, _, _ in os.walk(work):
            os.chmod(folder, 0o755)  # the store's folders are read-only, the next tree adds to them
compiler.compile_tree(work, stdlib)
for folder, _, files in os.walk(work):
    if folder.endswith("__pycache__"):
        target = out + stdlib + folder[len(work) :]
        os.makedirs(target, exist_ok=True)
        for name in files:
            shutil.copy(os.path.join(folder, name), target)

# A virtual environment without activation scripts: sys.prefix is /app, wheels are found without
# PYTHONPATH, and Debian's dist-packages are not.
os.makedirs(out + "/app/bin")
os.symlink(f"/usr/bin/python{version}", out + "/app/bin/python3")
with open(out + "/app/pyvenv.cfg", "w", encoding="utf-8") as file:
    file.write("home = /usr/bin\n")
