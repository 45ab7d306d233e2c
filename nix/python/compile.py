"""Byte code that depends on each source file alone.

CPython's byte code varies with what the compiling process compiled before (interned strings keep
flags), so every file is compiled by a process of its own, forked from a parent that compiled
nothing. Unchecked-hash files carry no time stamp and are never compared with their source.
"""

import os
import py_compile
import sys

PARALLEL = 4


def compile_one(source: str, final: str, strict: bool) -> int:
    """Compile one file; the exit code of its process.

    A file that is no Python of this version is left as it is, unless ``strict``.
    """
    target = os.path.join(
        os.path.dirname(source),
        "__pycache__",
        f"{os.path.basename(source)[:-3]}.{sys.implementation.cache_tag}.pyc",
    )
    try:
        py_compile.compile(
            source,
            cfile=target,
            dfile=final,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError as error:
        print(f"not compiled: {final}: {error.msg.strip()}", file=sys.stderr)
        return int(strict)
    return 0


def sources(tree: str) -> list[str]:
    """Every Python file of a tree, sorted."""
    found = []
    for folder, folders, files in os.walk(tree):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".py")]
    return found


def compile_tree(tree: str, final: str, strict: bool = False) -> None:
    """Compile every file below ``tree``, whose place in the image is ``final``.

    Libraries ship templates and files for other versions; our own code has to compile (``strict``).
    """
    running: set[int] = set()

    def reap() -> None:
        child, status = os.wait()
        running.discard(child)
        if status:
            sys.exit("the byte code could not be made")

    for source in sources(tree):
        if os.path.islink(source):
            continue
        os.makedirs(os.path.join(os.path.dirname(source), "__pycache__"), exist_ok=True)
        if len(running) >= PARALLEL:
            reap()
        child = os.fork()
        if child == 0:
            os._exit(compile_one(source, final + source[len(tree) :], strict))
        running.add(child)
    while running:
        reap()
    for folder, _, files in os.walk(tree):
        if folder.endswith("__pycache__") and not files:
            os.rmdir(folder)


if __name__ == "__main__":
    compile_tree(os.environ["tree"], os.environ["final"])
