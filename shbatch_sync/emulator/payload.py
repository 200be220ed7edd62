"""The body of a call, from the bytes that arrived."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from shbatch_sync.emulator.refusal import Refusal

if TYPE_CHECKING:
    from werkzeug import Request


def read_create(request: Request) -> Any:
    """Return the body of a create: JSON, or a form with the parts `request` and `evalscript`.

    Raises:
        Refusal: It cannot be read.
    """
    if request.mimetype != "multipart/form-data":
        return read_json(request)
    body = parse(_part(request, "request"))
    evalscript = _part(request, "evalscript")
    process = body.get("processRequest") if isinstance(body, dict) else None
    if evalscript and isinstance(process, dict):
        body["processRequest"] = {**process, "evalscript": evalscript}
    return body


def read_json(request: Request) -> Any:
    """Return a JSON body.

    Raises:
        Refusal: It is not JSON, or not called so.
    """
    if request.mimetype != "application/json":
        raise Refusal(415, f"Content type {request.mimetype or 'none'!r} is not supported.")
    try:
        return parse(request.get_data().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refusal(400, "Request body is not UTF-8.") from None


def parse(text: str) -> Any:
    """Return what JSON text says.

    Raises:
        Refusal: It is empty, or not JSON.
    """
    if not text.strip():
        raise Refusal(400, "Request body should be non-empty.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # What stands in the body is not repeated: a secret may be in it.
        raise Refusal(400, "Request body is not valid JSON.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _part(request: Request, name: str) -> str:
    upload = request.files.get(name)
    if upload is None:
        return request.form.get(name, "")
    content: bytes = upload.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(400, f"Part {name} is not UTF-8.") from None
