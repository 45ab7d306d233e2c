"""Files are written while few images are sent, and each failure is still its own step's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.act.runs import first, run
from tests.unit.demo import World, wanted, world

from slipway.act import change
from slipway.act.deploy import deploy
from slipway.errors import HostError, Interrupted
from slipway.images.transfer import Transfer
from slipway.ledger.entries import Entry
from slipway.ledger.folder import Contents
from slipway.report import Progress
from slipway.secret import Secret

_LONG_S = 20


def deployed() -> World:
    """A host on which the application runs, and nothing was written since."""
    made = world()
    first(made)
    made.folder.written.clear()
    return made


def loads_after(made: World, ready: threading.Event) -> None:
    """From now on images have arrived only once something else is ready."""
    load = made.engine.load

    def wait(transfer: Transfer, progress: Progress) -> int:
        assert ready.wait(_LONG_S), "nothing was done meanwhile"
        return load(transfer, progress)

    made.engine.load = wait  # type: ignore[method-assign]


def writes(made: World, done: threading.Event, error: Exception | None = None) -> None:
    """From now on writing is told, and fails when there is an error."""
    write = made.folder.write

    def tell(entries: Sequence[Entry], contents: Contents) -> None:
        try:
            if error is not None:
                raise error
            write(entries, contents)
        finally:
            done.set()

    made.folder.write = tell  # type: ignore[method-assign]


def test_files_are_written_while_images_are_sent() -> None:
    """The images arrive only after that; what is told of steps keeps its order."""
    made, written = deployed(), threading.Event()
    loads_after(made, written)
    writes(made, written)
    outcome = run(made, web="2")
    assert [step.name for step in outcome.steps][:4] == ["plan", "preflight", "transfer", "files"]
    assert made.folder.live == outcome.release


def test_secrets_are_there_before_files() -> None:
    """Both meanwhile, in their order."""
    made, written = deployed(), threading.Event()
    loads_after(made, written)
    writes(made, written)
    asked = replace(wanted(web="2"), supplied={"db_password": Secret("second")})
    made.clock.seconds += 60
    outcome = deploy(asked, made.doors, "token").outcome
    names = [step.name for step in outcome.steps]
    assert names[2:5] == ["transfer", "secrets", "files"]
    assert made.folder.written[0][0].path.startswith("secrets")


def test_what_fails_beside_is_an_error_of_its_own_step() -> None:
    """Told once the images have arrived; nothing was asked of the host."""
    made, failed = deployed(), threading.Event()
    requests = len(made.runner.requests)
    loads_after(made, failed)
    writes(made, failed, OSError(28, "No space left on device"))
    with pytest.raises(Exception, match="No space left") as caught:
        run(made, web="2")
    assert getattr(caught.value, "stage", None) == "files"
    assert len(made.engine.loads) == 1
    assert len(made.runner.requests) == requests


def test_a_transfer_that_fails_is_told_once_the_files_are_written() -> None:
    """So that nobody still writes there when the command ends."""
    made, written = deployed(), threading.Event()
    writes(made, written)
    error = HostError("no room")

    def load(transfer: Transfer, progress: Progress) -> int:
        raise error

    made.engine.load = load  # type: ignore[method-assign]
    with pytest.raises(HostError, match="no room") as caught:
        run(made, web="2")
    assert caught.value.stage == "transfer"
    assert written.is_set()


def test_when_both_fail_the_transfer_is_told() -> None:
    """The first step that failed is, as when one came after the other."""
    made, failed = deployed(), threading.Event()
    writes(made, failed, HostError("no files"))

    def load(transfer: Transfer, progress: Progress) -> int:
        assert failed.wait(_LONG_S)
        raise HostError("no images")

    made.engine.load = load  # type: ignore[method-assign]
    with pytest.raises(HostError, match="no images"):
        run(made, web="2")


def test_ctrl_c_waits_for_nothing() -> None:
    """A write that hangs holds nobody up who wants to leave."""
    made, go_on = deployed(), threading.Event()

    def hangs(entries: Sequence[Entry], contents: Contents) -> None:
        assert go_on.wait(_LONG_S)

    def load(transfer: Transfer, progress: Progress) -> int:
        raise KeyboardInterrupt

    made.folder.write = hangs  # type: ignore[method-assign]
    made.engine.load = load  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        run(made, web="2")
    assert not go_on.is_set()
    go_on.set()


def test_many_images_are_sent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their way is long: a broken line is taken up again there, and fails nothing beside."""
    monkeypatch.setattr(change, "LIMIT", 0)
    made = deployed()
    order: list[str] = []
    load, write = made.engine.load, made.folder.write

    def loads(transfer: Transfer, progress: Progress) -> int:
        order.append("images")
        return load(transfer, progress)

    def writes(entries: Sequence[Entry], contents: Contents) -> None:
        order.append("files")
        write(entries, contents)

    made.engine.load = loads  # type: ignore[method-assign]
    made.folder.write = writes  # type: ignore[method-assign]
    run(made, web="2")
    assert order[:2] == ["images", "files"]
