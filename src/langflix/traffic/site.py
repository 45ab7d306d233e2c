"""The API as a load itself uses it, before and after: patient, and not counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from langflix.errors import LangflixError, UnavailableError
from langflix.traffic import kinds
from langflix.traffic.lessons import Job, Made

JOBS = "/api/v1/jobs"
#: The lesson before the load is DONE by then.
READY_S = 180.0
#: A stack that has just been changed is asked again for so long.
PATIENCE_S = 60.0
POLL_S = 0.5


class Site:
    """The API of a stack that may just be changed; each method asks again while it is away.

    Args:
        http: with the site as its base; has a time-out.

    Methods raise UnavailableError when the API stays away, LangflixError when it refuses.

    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, status: int = 200) -> httpx.Response:
        """Return an answer; a stack that is just coming back is waited for."""
        return await self._ask("GET", path, status)

    async def post(self, path: str, form: kinds.Form, key: str) -> Job:
        """Make a job under a key; asked twice it is one."""
        headers = {"Content-Type": form.content_type, "Idempotency-Key": key}
        job: Job = (await self._ask("POST", path, 202, headers, form.body)).json()
        return job

    async def delete(self, path: str) -> None:
        """Delete what may be gone already."""
        await self._ask("DELETE", path, 204, also=404)

    async def jobs(self, title: str) -> list[Job]:
        """Return every job of a title."""
        found: list[Job] = []
        while True:
            page = (await self.get(kinds.listing(title, len(found)))).json()
            found += page["jobs"]
            if not page["jobs"] or len(found) >= page["total"]:
                return found

    async def made(self, job: str) -> Made:
        """Return how much a lesson has."""
        parts = [
            len((await self.get(f"{JOBS}/{job}/{part}")).json()[part])
            for part in ("expressions", "clips")
        ]
        return Made(*parts)

    async def done(self, job: str) -> None:
        """Wait until a lesson is DONE."""
        deadline = asyncio.get_running_loop().time() + READY_S
        while (state := (await self.get(f"{JOBS}/{job}")).json()["status"]) != "DONE":
            if state == "FAILED" or asyncio.get_running_loop().time() > deadline:
                raise LangflixError(f"lesson {job} is {state}, so nothing can be loaded with it")
            await asyncio.sleep(POLL_S)

    async def _ask(
        self,
        method: str,
        path: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        also: int = 0,
    ) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            said = ""
            try:
                answer = await self._http.request(method, path, headers=headers, content=body)
                if answer.status_code in (status, also):
                    return answer
                said = f"gave {answer.status_code}: {answer.text[:200]}"
                if answer.status_code < 500:
                    raise LangflixError(f"{method} {path} {said}")
            except httpx.HTTPError as error:
                said = f"failed: {type(error).__name__} {error}"
            if asyncio.get_running_loop().time() > deadline:
                raise UnavailableError(f"{method} {path} {said}")
            await asyncio.sleep(POLL_S)
