"""Which folders of the host services have, and where files of variables are named."""

from __future__ import annotations

from tests.composing import stack as read_stack

from slipway.stack.envfiles import relative_env_files
from slipway.stack.mounts import Mount, mounts


def test_a_folder_is_there_once_for_each_user_and_right() -> None:
    """As whom, whether to write, whose it is, and whether a deploy makes it."""
    made = read_stack([("a.yml", """
x-slipway: { application: demo, url: u, data: { db: { mode: "0700" } } }
services:
  db: { image: i, user: "999", volumes: ["/d/db:/var/lib/postgresql/data/"] }
  api: { image: i, user: "568:568", volumes: ["/m:/m", "/r:/r:ro", "pile:/p"] }
  worker: { image: i, user: "568:568", volumes: ["/m:/other"] }
  root: { image: i, volumes: ["/m:/m"] }
volumes: { pile: {} }
""")])  # fmt: skip
    assert mounts(made, "/d") == (
        Mount("/d/db", "999", True, "db", postgres=True, made=True),
        Mount("/m", "", True, "root"),
        Mount("/m", "568:568", True, "api"),
        Mount("/r", "568:568", False, "api"),
    )
    assert [one.owner for one in mounts(made, "/d")] == [999, None, 568, 568]


def test_relative_files_of_variables() -> None:
    """In each form that Compose knows, with its line; absolute ones and other files have none."""
    text = """
services:
  a: { env_file: a.env }
  b:
    env_file:
      - /etc/b.env
      - path: ./c.env
        required: false
  c: { image: i }
"""
    assert [str(one) for one in relative_env_files(text)] == [
        "services.a.env_file: a.env (line 3)",
        "services.b.env_file: ./c.env (line 7)",
    ]
    for other in ("", "services: []", "services: { a: 1 }", "a: [", "- x"):
        assert relative_env_files(other) == ()
