"""A bill as CycloneDX 1.6 in JSON, written by the format's own library; the same bytes each time.

What a scanner can't see lies inside the component that carries it. The serial number follows from
the images' digests, and the time is that of the images: the start of 1970.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Part
from cyclonedx.model.component import ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from slipway.bills.licences import is_expression, licensing
from slipway.bills.release import image_purl, together
from slipway.bills.values import Bill, Component
from slipway.errors import BuildError

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:slipway:bill")
_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_OWN = "slipway"


def cyclonedx(bills: Sequence[Bill], name: str) -> str:
    """One or several images' bill as text.

    Args:
        bills: one an image.
        name: what the bill is about: a role, or the application when there are several.

    Raises:
        BuildError: the text is not what the format's schema asks.
    """
    bom = Bom(serial_number=serial(bills))
    top = _top(bills, name)
    bom.metadata = BomMetaData(component=top, timestamp=_TIME)
    images = [_image(bill) for bill in bills]
    parts = {one.purl: _part(one) for one in together(bills) if not one.carrier}
    for one in together(bills):
        if one.carrier:
            parts[one.carrier].components.add(_part(one))
    bom.components.update(parts.values())
    if len(bills) > 1:
        bom.components.update(images)
        bom.register_dependency(top, images)
    for bill, image in zip(bills, images, strict=True):
        target = image if len(bills) > 1 else top
        own = [parts[one.purl] for one in bill.components if not one.carrier]
        bom.register_dependency(target, own)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    check(text, "the bill that was made")
    return f"{text}\n"


def check(text: str, what: str) -> None:
    """See that a text is CycloneDX 1.6.

    Args:
        what: what messages call it.

    Raises:
        BuildError: it is not; the schema's first complaint is the detail.
    """
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        raise BuildError(
            f"{what} is not CycloneDX 1.6",
            details=str(error.data).splitlines()[:3],
            stage="bills",
        )


def serial(bills: Iterable[Bill]) -> uuid.UUID:
    """A number that follows from the images, and from nothing else."""
    return uuid.uuid5(_NAMESPACE, " ".join(bill.digest for bill in bills))


def _top(bills: Sequence[Bill], name: str) -> Part:
    if len(bills) == 1:
        return _image(bills[0])
    return Part(name=name, type=ComponentType.APPLICATION, bom_ref=name)


def _image(bill: Bill) -> Part:
    purl = image_purl(bill)
    return Part(
        name=bill.reference.partition(":")[0],
        version=bill.reference.rpartition(":")[2],
        type=ComponentType.CONTAINER,
        bom_ref=purl,
        purl=PackageURL.from_string(purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=bill.digest.partition(":")[2])],
    )


def _part(one: Component) -> Part:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)] if one.sha256 else []
    said = {"source": one.source, "carrier": one.carrier, "evidence": one.evidence}
    return Part(
        name=one.name,
        version=one.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=f"{one.carrier}#{one.purl}" if one.carrier else one.purl,
        purl=PackageURL.from_string(one.purl),
        hashes=hashes,
        licenses=_licences(one.licences),
        properties=[
            *(Property(name=f"{_OWN}:{key}", value=text) for key, text in said.items() if text),
            *(Property(name=f"{_OWN}:place", value=place) for place in one.places),
        ],
    )


def _licences(
    licences: Sequence[str],
) -> list[DisjunctiveLicense | LicenseExpression]:
    """As the format takes them: one expression, or identifiers and names."""
    if len(licences) == 1 and is_expression(licences[0]):
        return [LicenseExpression(value=licences[0])]
    known = licensing().known_symbols
    return [
        DisjunctiveLicense(id=one) if one in known else DisjunctiveLicense(name=one)
        for one in licences
    ]
