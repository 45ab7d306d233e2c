"""What the guides say of secrets, images and migrations is what the files say."""

from __future__ import annotations

import re
import tomllib

import yaml
from tests.unit.docs import pages

from slipway.stack.yamlfile import lint

DEPLOY = pages.ROOT / "deploy"
PAGE = pages.read(pages.DOCS / "guides/secrets.md")
SHOWN = pages.read(pages.DOCS / "guides/deploy.md")
MADE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text("utf-8"))["x-slipway"]["secrets"]


def _declared() -> dict[str, str]:
    """Secret to the first file that declares it."""
    found: dict[str, str] = {}
    for path in sorted(DEPLOY.glob("docker-compose*.yml"), key=lambda one: len(one.name)):
        for line in lint(path.read_text("utf-8")).lines:
            if name := re.fullmatch(r"x-slipway\.secrets\.(\w+)", line):
                found.setdefault(name[1], path.name)
    return found


def test_every_secret_is_in_the_guide() -> None:
    """Those of the stack itself in one table, those of other Compose files in the next."""
    own, others = pages.tables(pages.section(PAGE, "The secrets of LangFlix"))[:2]
    listed = {row[0].strip("`"): "docker-compose.yml" for row in own}
    listed |= {row[0].strip("`"): row[1].strip("`") for row in others}
    assert listed == _declared()
    for name, how in MADE.items():
        said = next(row[1] for row in own if row[0] == f"`{name}`")
        assert f"{how.get('generate', '')} characters" in said or not how.get("generate"), name


def test_the_deploy_that_is_shown_is_one_of_this_checkout() -> None:
    """Its number of images, its secrets, its migrations: what a reader would compare."""
    settings = tomllib.loads((pages.ROOT / "slipway.toml").read_text("utf-8"))
    assert f"\n   build  {len(settings['image'])} images\n" in SHOWN
    secrets = re.search(r"\n   secrets  ((?:[a-z_]+,?\s+)+)files  ", SHOWN)
    assert secrets
    assert re.findall(r"[a-z_]+", secrets[1]) == sorted(MADE)
    versions = pages.ROOT / "src/langflix/migrations/versions"
    found = sorted(path for path in versions.glob("0*.py"))
    for path in (found[0], found[-1]):
        says = path.read_text("utf-8").splitlines()[0].strip('"')
        assert f"\n     {path.name[:4]}  {says}\n" in SHOWN
