"""The AASX file server: packages as they came."""

from lineshaft.core.errors import Invalid, Missing
from lineshaft.core.clock import uuid7
from lineshaft.records import And, Compare, Predicate, Some
from lineshaft.twins import Class, Document, Json
from lineshaft.twins.api import answers, kept
from lineshaft.twins.api.answers import Answer
from lineshaft.twins.api.forms import Form
from lineshaft.twins.api.attachments import opened
from lineshaft.twins.api.requests import FILE_BYTES_MAX, Request, decode
from lineshaft.twins.api.routing import Route
from lineshaft.twins.api.services import Services
from lineshaft.twins.documents import Remove, Write
from lineshaft.twins.files import FileRef
from lineshaft.twins.model.identifier import encode_id

PACKAGE = Class.PACKAGE
NAME = "/package.aasx"
"""What the file is called among the attachments of its document."""
MEDIA = b"application/asset-administration-shell-package"
