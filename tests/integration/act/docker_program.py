"""A ``docker`` for tests: obeys the few commands slipway gives, and keeps all in a file beside it.

It is run as a program of its own, with a host's shell scripts around it. Images come from the
archives it is sent, containers from the Compose files it is shown; each runs at once and is healthy
at once. What is not known here is an error: a program that does anything proves nothing. It starts
many times in a test, so it imports little.
"""

from __future__ import annotations

import fcntl
import json
import signal
import sys
from pathlib import Path
from typing import Any

STATE = Path(__file__).with_name("docker-state.json")
EMPTY: dict[str, Any] = {"images": {}, "containers": [], "volumes": [], "commands": [], "made": 0}
CONFIG_LABEL = "io.slipway.config"


def main(argv: list[str]) -> int:
    """Obey one command."""
    if argv[:1] == ["events"]:
        signal.pause()
    with STATE.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        state = json.loads(STATE.read_text()) if STATE.exists() else json.loads(json.dumps(EMPTY))
        state["commands"].append(argv)
        code = obey(state, argv)
        STATE.write_text(json.dumps(state))
    return code


def obey(state: dict[str, Any], argv: list[str]) -> int:
    """Answer on standard output, and change the state; the exit code."""
    match argv:
        case ["info", "--format", _]:
            show({"ServerVersion": "26.1.5", "DriverStatus": [], "DockerRootDir": "/"})
        case ["compose", "version", "--short"]:
            print("2.26.1")
        case ["compose", "-p", project, "-f", file, *arguments]:
            return compose(state, project, file, arguments)
        case ["network", "ls", *_]:
            pass
        case ["volume", "ls", *_]:
            print("\n".join(state["volumes"]))
        case ["image", "ls", "--quiet", "--no-trunc"]:
            print("\n".join(one["Id"] for one in state["images"].values()))
        case ["image", "inspect", "--format", _, *names]:
            return inspect_images(state, names)
        case ["image", "ls", "--format", _]:
            print("\n".join(state["images"]))
        case ["--config", folder, "pull", source]:
            state["shown"] = json.loads((Path(folder) / "config.json").read_text())
            if source.endswith("stuck"):
                signal.pause()
            state["images"][source] = {"Id": source.rpartition("@")[2], "Layers": []}
        case ["image", "tag", source, reference]:
            state["images"][reference] = state["images"][source]
        case ["image", "rm", *names]:
            for name in names:
                del state["images"][name]
        case ["container", "ls", "--all", "--quiet", "--no-trunc", "--filter", _]:
            print("\n".join(one["Id"] for one in state["containers"]))
        case ["container", "ls", "--all", "--quiet", "--no-trunc", "--filter", _, "--filter", _]:
            pass
        case ["container", "inspect", "--format", _, *ids]:
            for one in state["containers"]:
                if one["Id"] in ids:
                    show(one)
        case ["load", "--quiet"]:
            load(state, sys.stdin.buffer.read())
        case ["logs", *_]:
            print("its last words")
        case _:
            print(f"unknown command: {argv}", file=sys.stderr)
            return 1
    return 0


def show(value: object) -> None:
    """A line of JSON."""
    print(json.dumps(value, separators=(",", ":")))


def inspect_images(state: dict[str, Any], names: list[str]) -> int:
    """As with Docker: what isn't there is left out, and the exit code tells."""
    missing = False
    for name in names:
        known = [
            (reference, one)
            for reference, one in state["images"].items()
            if name in (reference, one["Id"])
        ]
        missing |= not known
        for reference, one in known[:1]:
            show({"Id": one["Id"], "RepoTags": [reference], "Layers": one["Layers"]})
    return int(missing)


def load(state: dict[str, Any], data: bytes) -> None:
    """Take images; layers that are not in the archive have to be there already."""
    import io
    import tarfile

    import zstandard

    if data[:4] == b"\x28\xb5\x2f\xfd":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    held = {layer for one in state["images"].values() for layer in one["Layers"]}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = set(archive.getnames())

        def read(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        for image in json.loads(read("manifest.json")):
            layers = json.loads(read(image["Config"]))["rootfs"]["diff_ids"]
            for digest, name in zip(layers, image["Layers"], strict=True):
                assert name in names or digest in held, name
            identity = "sha256:" + image["Config"].rpartition("/")[2]
            for reference in image["RepoTags"]:
                state["images"][reference] = {"Id": identity, "Layers": layers}
                print(f"Loaded image: {reference}")


def compose(state: dict[str, Any], project: str, file: str, arguments: list[str]) -> int:
    """``up``, ``down``, ``rm`` and ``run``."""
    document = json.loads(Path(file).read_text())
    assert document["name"] == project
    running = state["containers"]
    match arguments:
        case ["up", *rest]:
            named = [one for one in rest if one in document["services"]]
            for service, body in document["services"].items():
                if body.get("profiles") or (named and service not in named):
                    continue
                image = state["images"][body["image"]]["Id"]
                config = body["labels"][CONFIG_LABEL]
                if any(
                    (one["Service"], one["Image"], one["Config"]) == (service, image, config)
                    for one in running
                ):
                    continue
                running[:] = [one for one in running if one["Service"] != service]
                running.append(container(state, service, image, config, file, body))
            if "--remove-orphans" in rest:
                running[:] = [one for one in running if one["Service"] in document["services"]]
        case ["down", *_]:
            running.clear()
        case ["run", *_, "--plan"]:
            print("[]")
        case ["run", *_]:
            pass
        case _:
            print(f"unknown command of Compose: {arguments}", file=sys.stderr)
            return 1
    return 0


def container(
    state: dict[str, Any], service: str, image: str, config: str, file: str, body: dict[str, Any]
) -> dict[str, Any]:
    """One that runs, as ``inspect`` shows it."""
    state["made"] += 1
    return {
        "Id": f"{state['made']:064x}",
        "Name": f"/demo-{service}-1",
        "Image": image,
        "Status": "running",
        "Health": "healthy" if body.get("healthcheck") else "",
        "Restarts": 0,
        "ExitCode": 0,
        "OOMKilled": False,
        "Service": service,
        "OneOff": "False",
        "Config": config,
        "File": file,
        "Ports": {},
        "Networks": {"demo_default": {"IPAddress": f"10.0.0.{state['made']}"}},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
