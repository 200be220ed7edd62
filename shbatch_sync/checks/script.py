"""What the evalscript writes against what the request body makes of it; the script is read, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shbatch_sync.checks.catalogue import Finding
from shbatch_sync.cost.evalscript import Output, read_setup
from shbatch_sync.pointer import Steps
from shbatch_sync.suggest import did_you_mean

_RESPONSES: Steps = ("processRequest", "output", "responses")
_USERDATA = "userdata"
_DTYPE = re.compile(r"[<>|]([uif])([1248])")
# Sample type → kind and bytes that hold every value of it (Evalscript V3 documentation, sampleType).
_SAMPLES = {"INT8": "i1", "UINT8": "u1", "INT16": "i2", "UINT16": "u2", "FLOAT32": "f4"}
_HOLDERS = {
    "i1": ("i1", "i2", "i4", "i8", "f4", "f8"),
    "u1": ("u1", "u2", "u4", "u8", "i2", "i4", "i8", "f4", "f8"),
    "i2": ("i2", "i4", "i8", "f4", "f8"),
    "u2": ("u2", "u4", "u8", "i4", "i8", "f4", "f8"),
    "f4": ("f4", "f8"),
}


def check_script(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what does not fit between the outputs of the evalscript and the responses.

    Only of scripts whose outputs are certain: for others the service has to be asked.
    """
    setup = read_setup(body["processRequest"]["evalscript"])
    if not setup.certain or setup.outputs is None:
        return
    outputs = {str(output.id): output for output in setup.outputs}
    yield from _check_identifiers(body, outputs)
    if body["output"]["type"] == "zarr":
        yield from _check_arrays(body, outputs)
    elif body["output"].get("cogOutput"):
        yield from _check_cog(body, outputs)


def _responses(body: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    for index, response in enumerate(body["processRequest"]["output"]["responses"]):
        if response["identifier"] != _USERDATA:
            yield (*_RESPONSES, index, "identifier"), response["identifier"]


def _check_identifiers(body: Mapping[str, Any], outputs: Mapping[str, Output]) -> Iterator[Finding]:
    for steps, identifier in _responses(body):
        if identifier not in outputs:
            hint = did_you_mean(identifier, outputs) or f" (it has {', '.join(outputs) or 'none'})"
            message = f"{identifier!r} is no output of the evalscript{hint}"
            yield Finding(code="response-output", steps=steps, message=message)


def _check_cog(body: Mapping[str, Any], outputs: Mapping[str, Output]) -> Iterator[Finding]:
    for _, identifier in _responses(body):
        if identifier in outputs and outputs[identifier].sample_type == "INT8":
            message = (
                f"the output {identifier!r} is INT8, which a cloud optimised GeoTIFF cannot be"
            )
            yield Finding(code="cog-int8", steps=("output", "cogOutput"), message=message)


def _check_arrays(body: Mapping[str, Any], outputs: Mapping[str, Output]) -> Iterator[Finding]:
    for steps, identifier in _responses(body):
        output = outputs.get(identifier)
        if output is not None and output.bands not in (1, None):
            message = f"the output {identifier!r} has {output.bands} bands, an array has one"
            yield Finding(code="zarr-bands", steps=steps, message=message)
        if output is not None:
            yield from _check_type(body["output"], identifier, str(output.sample_type))


def _check_type(place: Mapping[str, Any], identifier: str, sample: str) -> Iterator[Finding]:
    overrides = place.get("arrayOverrides", {}).get(identifier, {})
    array = {**place.get("arrayParameters", {}), **overrides}
    match = _DTYPE.fullmatch(str(array.get("dtype")))
    if match and sample in _SAMPLES and match[1] + match[2] not in _HOLDERS[_SAMPLES[sample]]:
        own: Steps = (
            ("arrayOverrides", identifier) if "dtype" in overrides else ("arrayParameters",)
        )
        message = f"{array['dtype']} cannot hold the {sample} of the output {identifier!r}"
        yield Finding(code="zarr-dtype", steps=("output", *own, "dtype"), message=message)
