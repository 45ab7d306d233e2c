"""The API does what its OpenAPI description says, whatever it is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
from tests.integration.langflix.conftest import Stack

PROGRAM = Path(sys.executable).with_name("schemathesis")
#: Every run sends the same requests; more examples find more, and take longer.
SEED = "20251"
EXAMPLES = os.environ.get("LANGFLIX_TEST_EXAMPLES", "15")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method"
)


def test_generated_requests_get_described_answers(
    stack: Stack, api: httpx.Client, tmp_path: Path
) -> None:
    """No request, allowed or not, brings an answer that the description does not tell of."""
    argv = [
        *(str(PROGRAM), "run", f"{stack.url}/api/openapi.json"),
        *("--exclude-path", "/api/v1/events"),  # its answer takes a minute
        *("--exclude-path", "/metrics", "--checks", CHECKS),
        *("--phases", "examples,coverage,fuzzing", "--seed", SEED),
        *("--max-examples", EXAMPLES, "--workers", "1", "--no-color"),
        *("--request-timeout", "30", "--generation-database", "none"),
    ]
    ran = subprocess.run(
        argv, cwd=tmp_path, capture_output=True, text=True, timeout=540, check=False
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert api.get("/health").status_code == 200
