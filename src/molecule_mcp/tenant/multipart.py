"""Bodies of multipart/form-data: the same files always make the same bytes, so that a plan can hold their digest."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """Files of one form field.

    Args:
        field: The field's name, one of ours.
        files: Content by file name, in the order in which they leave.
    """

    field: str
    files: Mapping[str, bytes]

    @property
    def boundary(self) -> str:
        """What parts the files: made from all of them, and in none of them."""
        digest = hashlib.sha256()
        for name, content in self.files.items():
            for part in (named(name).encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        while (mark := f"part-{digest.hexdigest()[:40]}").encode() in b"".join(self.files.values()):
            digest.update(b"again")
        return mark

    def encoded(self) -> tuple[bytes, str]:
        """The body and its content type."""
        boundary = self.boundary
        parts = [
            b"--%s\r\nContent-Disposition: form-data; name=%s; filename=%s\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n"
            % (boundary.encode(), named(self.field).encode(), named(name).encode(), content)
            for name, content in self.files.items()
        ]
        body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        return body, f"multipart/form-data; boundary={boundary}"


def named(name: str) -> str:
    """A name in quotes; what could end it, or begin another header, is encoded as browsers do."""
    for character, code in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(character, code)
    return f'"{name}"'
