"""A bill as SPDX 2.3 in JSON, written by the format's own library; the same bytes each time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime

from license_expression import LicenseExpression
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    Package,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream

from slipway.bills.cyclonedx import serial
from slipway.bills.licences import is_expression, licensing
from slipway.bills.release import image_purl, together
from slipway.bills.values import Bill, Component
from slipway.errors import BuildError

_DOCUMENT = "SPDXRef-DOCUMENT"
_TIME = datetime(1970, 1, 1)  # the library takes times without a zone, as UTC


def spdx(bills: Sequence[Bill], name: str) -> str:
    """One or several images' bill as text.

    Args:
        bills: one an image.
        name: what the bill is about.

    Raises:
        BuildError: the document is not what SPDX 2.3 asks.
    """
    info = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=_DOCUMENT,
        name=name,
        document_namespace=f"urn:uuid:{serial(bills)}",
        creators=[Actor(ActorType.TOOL, "slipway")],
        created=_TIME,
    )
    images = [_image(bill) for bill in bills]
    whole = together(bills)
    document = Document(
        creation_info=info,
        packages=[*images, *(_package(one) for one in whole)],
        relationships=[
            *(Relationship(_DOCUMENT, RelationshipType.DESCRIBES, one.spdx_id) for one in images),
            *(
                Relationship(image.spdx_id, RelationshipType.CONTAINS, _id(one))
                for bill, image in zip(bills, images, strict=True)
                for one in bill.components
                if not one.carrier
            ),
            *(
                Relationship(_id_of(one.carrier), RelationshipType.CONTAINS, _id(one))
                for one in whole
                if one.carrier
            ),
        ],
    )
    if problems := validate_full_spdx_document(document, "SPDX-2.3"):
        raise BuildError(
            "the bill that was made is not SPDX 2.3",
            details=[problem.validation_message for problem in problems[:3]],
            stage="bills",
        )
    stream = io.StringIO()
    write_document_to_stream(document, stream, validate=False)
    return f"{stream.getvalue()}\n"


def _id_of(purl: str, carrier: str = "") -> str:
    """An identifier that follows from a package URL and what carries it."""
    return f"SPDXRef-{hashlib.sha256(f'{carrier} {purl}'.strip().encode()).hexdigest()[:24]}"


def _id(one: Component) -> str:
    return _id_of(one.purl, one.carrier)


def _image(bill: Bill) -> Package:
    purl = image_purl(bill)
    return Package(
        spdx_id=_id_of(purl),
        name=bill.reference.partition(":")[0],
        version=bill.reference.rpartition(":")[2],
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        primary_package_purpose=PackagePurpose.CONTAINER,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, bill.digest.partition(":")[2])],
        external_references=[_reference(purl)],
    )


def _package(one: Component) -> Package:
    sums = [Checksum(ChecksumAlgorithm.SHA256, one.sha256)] if one.sha256 else []
    licence, left = _licence(one.licences)
    return Package(
        spdx_id=_id(one),
        name=one.name,
        version=one.version or None,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        checksums=sums,
        license_declared=licence,
        license_comment=left or None,
        source_info=_source(one) or None,
        external_references=[_reference(one.purl)],
    )


def _source(one: Component) -> str:
    said = [f"built from Debian source package {one.source}" if one.source else ""]
    said += [f"inside of {one.carrier}; version: {one.evidence}" if one.carrier else ""]
    said += [f"at {', '.join(one.places)}" if one.places else ""]
    return "; ".join(filter(None, said))


def _licence(
    licences: Sequence[str],
) -> tuple[LicenseExpression | SpdxNoAssertion, str]:
    """The declared licence, and those that SPDX has no identifier for as a comment."""
    known = [one for one in licences if is_expression(one)]
    other = [one for one in licences if one not in known]
    if other or not known:
        return SpdxNoAssertion(), f"its makers name: {', '.join(licences)}" if licences else ""
    text = " AND ".join(f"({one})" for one in known)
    return licensing().parse(text).simplify(), ""


def _reference(purl: str) -> ExternalPackageRef:
    return ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl)
