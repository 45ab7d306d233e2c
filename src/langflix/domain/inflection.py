"""The forms that an English word takes, enough to find a dictionary entry in speech.

Regular endings follow the usual spelling rules; verbs that bend otherwise are listed.  A form too
many does no harm (nobody says it), a form too few hides an expression, so consonants are doubled
wherever they might be.
"""

from __future__ import annotations

from functools import cache

#: base form: the other forms that the rules would not give.
IRREGULAR: dict[str, tuple[str, ...]] = {
    "be": ("am", "is", "are", "was", "were", "been", "being", "'m", "'s", "'re"),
    "bear": ("bore", "borne"),
    "beat": ("beaten",),
    "bite": ("bit", "bitten"),
    "blow": ("blew", "blown"),
    "break": ("broke", "broken"),
    "bring": ("brought",),
    "buy": ("bought",),
    "catch": ("caught",),
    "come": ("came",),
    "cost": (),
    "cut": (),
    "do": ("did", "done", "does"),
    "draw": ("drew", "drawn"),
    "drive": ("drove", "driven"),
    "eat": ("ate", "eaten"),
    "fall": ("fell", "fallen"),
    "feel": ("felt",),
    "fight": ("fought",),
    "find": ("found",),
    "fly": ("flew", "flown"),
    "get": ("got", "gotten"),
    "give": ("gave", "given"),
    "go": ("went", "gone", "goes"),
    "grow": ("grew", "grown"),
    "hang": ("hung",),
    "have": ("has", "had", "'ve"),
    "hear": ("heard",),
    "hit": (),
    "hold": ("held",),
    "keep": ("kept",),
    "know": ("knew", "known"),
    "lead": ("led",),
    "leave": ("left",),
    "let": (),
    "lie": ("lay", "lain", "lying"),
    "lose": ("lost",),
    "make": ("made",),
    "mean": ("meant",),
    "pay": ("paid",),
    "put": (),
    "ring": ("rang", "rung"),
    "rise": ("rose", "risen"),
    "run": ("ran",),
    "see": ("saw", "seen"),
    "sell": ("sold",),
    "send": ("sent",),
    "set": (),
    "shake": ("shook", "shaken"),
    "show": ("shown",),
    "shut": (),
    "sit": ("sat",),
    "sleep": ("slept",),
    "speak": ("spoke", "spoken"),
    "spill": ("spilt",),
    "stand": ("stood",),
    "steal": ("stole", "stolen"),
    "stick": ("stuck",),
    "take": ("took", "taken"),
    "tear": ("tore", "torn"),
    "tell": ("told",),
    "think": ("thought",),
    "throw": ("threw", "thrown"),
    "wake": ("woke", "woken"),
    "wear": ("wore", "worn"),
    "write": ("wrote", "written"),
}

_VOWELS = "aeiou"


@cache
def verb_forms(base: str) -> frozenset[str]:
    """Return ``base`` and every form of it, in lower case."""
    return frozenset({base, *IRREGULAR.get(base, ()), *_regular(base)})


def _regular(base: str) -> tuple[str, ...]:
    if base.endswith("e"):
        return (f"{base}s", f"{base}d", f"{base[:-1]}ing", f"{base[:-1]}in'")
    if base.endswith("y") and base[-2:-1] not in tuple(_VOWELS):
        return (f"{base[:-1]}ies", f"{base[:-1]}ied", f"{base}ing", f"{base}in'")
    third = f"{base}es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{base}s"
    forms = [third]
    for stem in (base, base + base[-1]) if _may_double(base) else (base,):
        forms += [f"{stem}ed", f"{stem}ing", f"{stem}in'"]
    return tuple(forms)


def _may_double(base: str) -> bool:
    return (
        len(base) >= 3
        and base[-1] not in _VOWELS + "wxy"
        and base[-2] in _VOWELS
        and base[-3] not in _VOWELS
    )
