"""Files become environments, whatever their form."""

from lineshaft.core.errors import Invalid
from lineshaft.core.flow import assert_off_loop
from lineshaft.twins import Json
from lineshaft.twins.exchange import FILE_BYTES_MAX, KINDS, Imported, Notes
from lineshaft.twins.exchange.aasx import read_aasx
from lineshaft.twins.exchange.jsonfile import read_json
from lineshaft.twins.exchange.xmlfile import read_xml


def read_environment(data: bytes, name: str) -> Imported:
    """What can be taken from a JSON, XML or AASX file; the form is seen from its bytes.

    Takes about a second of computing for 10,000 elements, so it is called in a thread.

    Raises:
        Invalid: nothing can be taken from it; the message says why.
    """
    assert_off_loop()
    if len(data) > FILE_BYTES_MAX:
        raise Invalid(
            f"{name} has {len(data)} bytes, wanted at most {FILE_BYTES_MAX}",
            remedy="Cut it into several files.",
        )
    notes = Notes()
    if data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        found = read_aasx(data, name, notes)
    elif _looks_xml(data):
        found = Imported(environment=read_xml(data, name, notes))
    else:
        found = Imported(environment=read_json(data, name, notes))
    return Imported(
        environment=_without_doubles(found.environment, notes),
        files=found.files,
        thumbnail=found.thumbnail,
        findings=notes.findings(),
    )


def _looks_xml(data: bytes) -> bool:
    """Whether the first character is `<`, in UTF-8 or UTF-16."""
    return data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<"


def _without_doubles(environment: Json, notes: Notes) -> Json:
    """Of Identifiables with the same identifier the first, whatever their class."""
    seen: set[str] = set()
    kept: Json = {key: [] for key in KINDS}
    for key in KINDS:
        for document in environment[key]:
            if document["id"] in seen:
                notes.error(key, f"{document['id'][:200]!r} is there twice: the second left out")
            else:
                seen.add(document["id"])
                kept[key].append(document)
    return kept
