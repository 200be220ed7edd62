"""The dictionaries that make up a create body, as sentinelhub-py's helpers build them.

Members and their meaning: https://docs.sentinel-hub.com/api/latest/reference/#tag/batchv2. An argument that is
None is left out, because the service refuses null.
"""

from __future__ import annotations

from typing import Any


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def s3_specification(
    url: str,
    access_key: str | None = None,
    secret_access_key: str | None = None,
    iam_role_arn: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Describe a place in S3 and how to get at it.

    Args:
        url: `s3://bucket/path`; for a delivery it may hold `<tileName>`, `<outputId>`, `<requestId>`, `<format>`.
        access_key: AWS access key; goes with `secret_access_key`.
        secret_access_key: Its secret.
        iam_role_arn: Role that the service assumes, instead of keys.
        region: Of the bucket; the deployment's own if left out.

    Raises:
        ValueError: Neither a role nor a pair of keys is given, or both are.
    """
    if (iam_role_arn is None) == (access_key is None or secret_access_key is None):
        message = "Either specify `iam_role_arn` or both `access_key` and `secret_access_key`."
        raise ValueError(message)
    members = {
        "url": url,
        "accessKey": access_key,
        "secretAccessKey": secret_access_key,
        "iamRoleARN": iam_role_arn,
        "region": region,
    }
    return {"s3": without_none(members)}


def geopackage_input(geopackage_specification: dict[str, Any]) -> dict[str, Any]:
    """Build an `input` of features in a GeoPackage.

    Args:
        geopackage_specification: Where the file is; see `s3_specification`.
    """
    return {"type": "geopackage", "features": geopackage_specification}


def tiling_grid_input(
    grid_id: int,
    resolution: float,
    buffer_x: int | None = None,
    buffer_y: int | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Build an `input` of the tiles of a grid.

    Args:
        grid_id: Id of a tiling grid; see `iter_tiling_grids`.
        resolution: One of the grid's, in its unit (metres or degrees).
        buffer_x: Pixels added to each tile on the left and on the right.
        buffer_y: Pixels added above and below.
        **kwargs: Further members.
    """
    members = {
        "type": "tiling-grid",
        "id": grid_id,
        "resolution": resolution,
        "bufferX": buffer_x,
        "bufferY": buffer_y,
    }
    return without_none({**members, **kwargs})


def raster_output(
    delivery: dict[str, Any],
    *,
    overwrite: bool | None = None,
    skip_existing: bool | None = None,
    cog_output: bool | None = None,
    cog_parameters: dict[str, Any] | None = None,
    create_collection: bool | None = None,
    collection_id: str | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Build an `output` of GeoTIFFs (or JSON for `userdata`).

    Args:
        delivery: Where to; see `s3_specification`.
        overwrite: Replace existing files. If false, a request that meets some fails.
        skip_existing: Leave out tiles of which every output exists; they cost nothing. (sentinelhub-py's text says
            that it overwrites them.) A tile of which some outputs exist is written again if `overwrite`, and fails
            the request if not.
        cog_output: Write cloud-optimised GeoTIFFs.
        cog_parameters: How, e.g. `blockxsize`, `overviewLevels`, `resamplingAlgorithm`.
        create_collection: Make a BYOC collection of the results; needs `cog_output`.
        collection_id: Add the results to this BYOC collection.
        **kwargs: Further members.
    """
    members = {
        "type": "raster",
        "delivery": delivery,
        "overwrite": overwrite,
        "skipExisting": skip_existing,
        "cogOutput": cog_output,
        "cogParameters": cog_parameters,
        "createCollection": create_collection,
        "collectionId": collection_id,
    }
    return without_none({**members, **kwargs})


def zarr_output(
    delivery: dict[str, Any],
    *,
    group: dict[str, Any] | None = None,
    array_parameters: dict[str, Any] | None = None,
    array_overrides: dict[str, Any] | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Build an `output` of one Zarr group.

    Args:
        delivery: Where to; see `s3_specification`. The url may hold `<requestId>` only.
        group: Members of the whole group; the service requires `zarr_format`.
        array_parameters: For every array: `dtype`, `order`, `chunks`, `fill_value`, `compressor`. Sent as
            `arrayParameters`, which the service reads; sentinelhub-py sends `arrayParameter`, which it does not.
        array_overrides: The same for single outputs, by output id.
        **kwargs: Further members.
    """
    members = {
        "type": "zarr",
        "delivery": delivery,
        "group": group,
        "arrayParameters": array_parameters,
        "arrayOverrides": array_overrides,
    }
    return without_none({**members, **kwargs})
