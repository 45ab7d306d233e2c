"""The application's package in site-packages, with byte code, into $out."""

import importlib.util
import os
import shutil

out, site, package = os.environ["out"], os.environ["site"], os.environ["package"]

spec = importlib.util.spec_from_file_location("compiler", os.environ["compiler"])
compiler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compiler)

target = f"{out}{site}/{package}"
shutil.copytree(os.environ["source"], target)
for folder, _, _ in os.walk(target):
    os.chmod(folder, 0o755)
compiler.compile_tree(target, f"{site}/{package}", strict=True)
