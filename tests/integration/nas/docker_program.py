"""A Docker client that plays: containers are entries of a file. It notes how it was called.

A service's ``x-fake`` says how its container is: ``unhealthy``, ``starting``, ``created``,
``restarting``, ``paused``, ``done`` (ended with 0), ``crashed`` (with 1). ``x-fail`` at the top of
a Compose file is what ``up`` fails with, ``x-refuse`` what ``config`` fails with. A pull asks
``pull.json`` beside the state: reference to the text that it fails with, or to the login it wants.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

HOME = Path(os.environ["FAKE_DOCKER"])
STATES: dict[str, dict[str, Any]] = {
    "unhealthy": {"Status": "running", "Health": {"Status": "unhealthy"}},
    "starting": {"Status": "running", "Health": {"Status": "starting"}},
    "healthy": {"Status": "running", "Health": {"Status": "healthy"}},
    "created": {"Status": "created"},
    "restarting": {"Status": "restarting"},
    "paused": {"Status": "paused"},
    "done": {"Status": "exited", "ExitCode": 0},
    "crashed": {"Status": "exited", "ExitCode": 1},
    "": {"Status": "running"},
}


def read() -> dict[str, Any]:
    try:
        return dict(json.loads((HOME / "state.json").read_text()))
    except FileNotFoundError:
        return {"container": [], "network": [], "volume": [], "image": []}


def write(state: dict[str, Any]) -> None:
    beside = HOME / f"state.{os.getpid()}"
    beside.write_text(json.dumps(state))
    beside.replace(HOME / "state.json")


def labels(one: dict[str, Any]) -> dict[str, str]:
    return one.get("Labels") or one.get("Config", {}).get("Labels") or {}


def fits(one: dict[str, Any], words: list[str]) -> bool:
    if "--filter" not in words:
        return True
    key, _, value = words[words.index("--filter") + 1].removeprefix("label=").partition("=")
    return key in labels(one) and value in ("", labels(one)[key])


def thing(kind: str, words: list[str]) -> int:
    state = read()
    names = [word for word in words[1:] if not word.startswith("-")]
    if words[0] == "ls":
        found = [one for one in state[kind] if fits(one, words)]
        sys.stdout.write("".join(f"{one.get('Id') or one['Name']}\n" for one in found))
    elif words[0] == "inspect":
        found = [one for one in state[kind] if one["Id"] in names]
        if len(found) < len(names):
            sys.stderr.write("Error: No such object\n")
            return 1
        sys.stdout.write(json.dumps(found))
    elif words[0] == "logs":
        number = words[words.index("--tail") + 1]
        lines = [f"2026-11-28T10:00:0{at}.5Z line {at}\n" for at in range(5)]
        sys.stdout.write("".join(lines if number == "all" else lines[-int(number) :]))
    elif words[0] == "rm" and kind == "image" and used(state, names):
        sys.stderr.write("Error response from daemon: conflict: unable to delete: image is used\n")
        return 1
    elif words[0] == "rm":
        state[kind] = [one for one in state[kind] if (one.get("Id") or one["Name"]) not in names]
        write(state)
    return 0


def used(state: dict[str, Any], names: list[str]) -> bool:
    return any(one["Config"]["Image"] in names for one in state["container"])


def pull(config: str, name: str) -> int:
    told = json.loads((HOME / "pull.json").read_text()).get(name, "")
    if isinstance(told, dict):
        try:
            shown = json.loads(Path(config, "config.json").read_text())["auths"]
        except FileNotFoundError:
            shown = {}
        told = "" if shown == told else "Error response from daemon: unauthorized"
    if told:
        sys.stderr.write(told)
        return 1
    state = read()
    state["image"].append({"Id": f"id-{name}", "RepoTags": [], "RepoDigests": [name], "Size": 7})
    write(state)
    return 0


def container(project: str, name: str, service: dict[str, Any]) -> dict[str, Any]:
    told = {"ExitCode": 0, **STATES[service.get("x-fake", "")]}
    marks = {"com.docker.compose.project": project, "com.docker.compose.service": name}
    ports: dict[str, Any] = {}
    for port in service.get("ports", []):
        host, _, inner = str(port).partition(":")
        if not inner:
            continue
        both = ("0.0.0.0", "::")
        ports[f"{inner}/tcp"] = [{"HostIp": ip, "HostPort": host} for ip in both]
    mounts = [
        {"Source": source, "Destination": target, "Mode": "rw", "Type": "bind"}
        for source, _, target in (one.partition(":") for one in service.get("volumes", []))
    ]
    return {
        "Id": f"{project}-{name}".encode().hex().ljust(64, "0")[:64],
        "Name": f"/{project}-{name}-1",
        "Config": {"Image": service["image"], "Labels": marks | service.get("labels", {})},
        "State": told,
        "NetworkSettings": {"Ports": ports},
        "Mounts": mounts,
    }


def drop(state: dict[str, Any], project: str) -> None:
    for kind in ("container", "network"):
        state[kind] = [
            one for one in state[kind] if labels(one)["com.docker.compose.project"] != project
        ]


def up(project: str, told: dict[str, Any]) -> int:
    if "x-fail" in told:
        sys.stderr.write(told["x-fail"])
        return 1
    state = read()
    drop(state, project)
    for name, service in (told.get("services") or {}).items():
        state["container"].append(container(project, name, service))
        state["image"] = [one for one in state["image"] if one["Id"] != service["image"]]
        state["image"].append(
            {"Id": service["image"], "RepoTags": [service["image"]], "RepoDigests": [], "Size": 7}
        )
    marks = {"com.docker.compose.project": project}
    network = {"Name": f"{project}_default", "Id": f"net-{project}", "Labels": marks}
    state["network"].append(network)
    state["volume"] += [{"Name": f"{project}_{name}"} for name in told.get("volumes") or {}]
    write(state)
    return 0


def load(file: str) -> dict[str, Any]:
    # Started without the site's packages, which is sooner; most calls read no YAML.
    sys.path.append(os.environ["FAKE_DOCKER_PACKAGES"])
    import yaml

    return dict(yaml.safe_load(Path(file).read_text()) or {})


def compose(words: list[str]) -> int:
    files = [words[at + 1] for at, word in enumerate(words) if word == "-f"]
    project = words[words.index("-p") + 1] if "-p" in words else ""
    told: dict[str, Any] = {}
    for file in files if {"up", "config", "pull"} & set(words) else []:
        told |= load(file)
    if "config" in words:
        if "x-refuse" in told:
            sys.stderr.write(told["x-refuse"])
            return 15
    elif "up" in words:
        return up(project, told)
    elif "down" in words:
        state = read()
        drop(state, project)
        if "-v" in words:
            state["volume"] = [
                one for one in state["volume"] if not one["Name"].startswith(f"{project}_")
            ]
        write(state)
    elif "logs" in words:
        sys.stdout.write("web-1  | it went wrong\n")
    elif "pull" in words and "x-no-pull" in told:
        sys.stderr.write("toomanyrequests: You have reached your pull rate limit.")
        return 1
    return 0


def main() -> int:
    words = sys.argv[1:]
    with (HOME / "calls.jsonl").open("a") as stream:
        stream.write(json.dumps(words) + "\n")
    config = words[1] if words[0] == "--config" else ""
    words = words[2:] if config else words
    if words[0] == "pull":
        return pull(config, words[1])
    if words[0] == "version":
        return 1 if (HOME / "down").exists() else 0
    if words[0] == "compose":
        return compose(words[1:])
    return thing(words[0], words[1:])


if __name__ == "__main__":
    sys.exit(main())
