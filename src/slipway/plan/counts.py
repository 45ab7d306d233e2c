"""Whether a host can have as many containers as are wanted, whoever wants them. Pure.

The numbers are those of the Compose files, or the host's own (:mod:`slipway.ledger.scale`); a
deploy and ``scale`` look at them in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.errors import Problem
from slipway.hosts.facts import Facts
from slipway.ledger.records import Memory
from slipway.ledger.scale import scaled
from slipway.report import human_bytes
from slipway.runner.roll import few_places
from slipway.stack.counts import beside_problem
from slipway.stack.health import replicas
from slipway.stack.limits import limits
from slipway.stack.model import Stack

FEWER = "fewer containers, or lower limits in the Compose files"


def count_problems(stack: Stack, said: Stack, backends: Mapping[str, int]) -> list[Problem]:
    """Services of which there can't be as many containers as are wanted.

    Args:
        stack: with the numbers as they will be.
        said: with those of the Compose files, which may have several of whatever they like.
        backends: backend of the edge to the number of its servers, where that is known.
    """
    found = []
    for name in stack.standing:
        count = replicas(stack.services[name])
        asked = count != replicas(said.services[name])
        why = beside_problem(stack, name, count) if asked else ""
        if not why and stack.rolled.get(name) == "edge" and name in backends:
            why = few_places(name, count, backends[name])
        if why:
            found.append(Problem(f"services.{name}", why))
    return found


def demand(stack: Stack) -> tuple[int, float]:
    """Memory in bytes and processors that all standing containers may take by their limits."""
    bodies = [stack.services[name] for name in stack.standing]
    each = [(replicas(body), limits(body)) for body in bodies]
    return (
        sum(count * one.memory for count, one in each),
        sum(count * one.processors for count, one in each),
    )


def until_now(stack: Stack, memory: Memory) -> Stack:
    """A stack with the numbers of containers that a host has by now: at least one of each.

    Limits of single containers are not what is checked: a host may be smaller than all of them.

    Args:
        stack: with the numbers as they will be.
        memory: what the host remembers.
    """
    live = memory.records.live
    there = scaled(live, memory.scale).expected if live else ()
    held = {one.service: one.containers for one in there}
    return stack.scaled({name: max(1, held.get(name, 1)) for name in stack.standing})


def grown(before: Stack, after: Stack) -> bool:
    """Whether there are to be more containers of some service."""
    return any(
        replicas(after.services[name]) > replicas(before.services[name]) for name in after.standing
    )


def too_much(host: str, facts: Facts, before: Stack, after: Stack) -> str:
    """Why a host has not the memory for all containers; empty when it has, or needs no more of it.

    Args:
        host: its name.
        facts: what it has.
        before: the stack with the numbers of containers it has now.
        after: with those that are wanted.
    """
    held, memory = demand(before)[0], demand(after)[0]
    if not facts.memory or memory <= facts.memory or memory <= held:
        return ""
    return (
        f"with these numbers the containers may take {human_bytes(memory)} of memory by their "
        f"limits, and {host} has {human_bytes(facts.memory)}"
    )


def shares(stack: Stack) -> list[str]:
    """What each service may take of the memory, for people."""
    return [
        f"{name}: {replicas(body)} of {human_bytes(limits(body).memory)}"
        for name, body in stack.services.items()
        if name in stack.standing
    ]


def shared(host: str, facts: Facts, before: Stack, after: Stack) -> str:
    """A warning that processors will have to be shared; empty when they won't."""
    processors, busy = demand(before)[1], demand(after)[1]
    if not facts.processors or busy <= facts.processors or busy <= processors:
        return ""
    return (
        f"the containers may take {busy:g} processors by their limits, and {host} has "
        f"{facts.processors}: when all are busy, each gets less"
    )
