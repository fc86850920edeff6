"""What an object store can refuse, told by store, bucket, key and remedy; never in the store's own words.

Those may hold the key id and what was signed. So they are read to find the kind of the fault, and then dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from dti.errors import DtiError

_HTTP = re.compile(r"status code: (\d{3})|status: (\d{3})|\b(40[0134]|412|50[0-9]) (?:[A-Z][a-z]+)")
_OF_A_STORE = re.compile(r"Generic S3 error|Object (at location|not found)|ObjectStore|Error performing", re.IGNORECASE)
_CODE = re.compile(r"<Code>([A-Za-z]+)</Code>")


class StoreError(DtiError):
    """The object store did not do what was asked; what is half-written there counts for nothing."""

    kind = "store"


class AlreadyThere(StoreError):
    """Somebody else has written it: what is there stays as it is."""

    kind = "store"


@contextmanager
def told(where: str, endpoint: str) -> Iterator[None]:
    """Tell what a client of the store raises as StoreError at ``where``; FileNotFoundError is told for a missing key.

    ``endpoint`` names the store. Errors of ours, and those that are not the store's, pass.
    """
    try:
        yield
    except DtiError:
        raise
    except Exception as fault:
        if not _is_of_a_store(fault):
            raise
        error = told_of(str(fault), where, endpoint)
        if error is None:
            raise FileNotFoundError(where) from None
        raise error from None


def told_of(said: str, where: str, endpoint: str) -> StoreError | None:
    """The error behind what a client of the store said; None when the key is not there."""
    code = _CODE.search(said)
    status = next((n for found in _HTTP.findall(said) for n in found if n), "")
    name = code[1] if code else ""
    at = f"{where} at {endpoint}"
    if name == "NoSuchBucket":
        return StoreError(
            "there is no such bucket",
            where=at,
            remedy="create it, or mend its name in DTI_HOME; then repeat",
        )
    if name in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken") or status == "401":
        return StoreError(
            f"the store does not know the key or its secret ({name or status})",
            where=at,
            remedy="mend the connection dti_store, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; then repeat",
        )
    if status == "403" or name == "AccessDenied" or "permission" in said.lower():
        return StoreError(
            "access is denied",
            where=at,
            remedy="let the key list, read, write and delete there (docs/object-store.md), then repeat",
        )
    if status == "501" or name == "NotImplemented":
        return StoreError(
            "the store cannot write on condition (If-None-Match)",
            where=at,
            remedy="take a store that can; see docs/object-store.md",
        )
    if re.search(r"redirect|PermanentRedirect|AuthorizationHeaderMalformed", said):
        return StoreError(
            "the bucket is in another region", where=at, remedy="set DTI_STORE_REGION, or region_name of dti_store"
        )
    if "credential" in said.lower() or "169.254" in said or "IMDS" in said or ("metadata" in said and "token" in said):
        return StoreError(
            "there is no key to the store",
            where=at,
            remedy="add the connection dti_store, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if status == "404" or name == "NoSuchKey" or "not found" in said.lower():
        return None
    if re.search(r"certificate|tls|ssl", said, re.IGNORECASE):
        return StoreError(
            "the store does not prove who it is (TLS)", where=at, remedy="mend its certificate, or the endpoint's name"
        )
    if re.search(r"builder error|error sending request|timed out|connect|dns|URL scheme", said, re.IGNORECASE):
        return StoreError(
            "the store cannot be reached",
            where=at,
            remedy="see whether the endpoint (DTI_STORE_ENDPOINT, endpoint_url of dti_store) is right and runs; then "
            "repeat the step: nothing that is half-written counts",
        )
    return StoreError(
        f"the store failed ({status or name or 'without an answer that can be read'})",
        where=at,
        remedy="look at the store's own log; then repeat the step: nothing that is half-written counts",
    )


def _is_of_a_store(fault: Exception) -> bool:
    module = type(fault).__module__
    if isinstance(fault, FileNotFoundError):
        return bool(re.search(r"Object at location|Object not found", str(fault)))
    if module.startswith(("obstore", "_obstore")):
        return True
    return bool(
        re.search(r"Generic (S3|DeltaS3) error|Object (at location|not found)|ObjectStore|Error performing", str(fault))
    )
