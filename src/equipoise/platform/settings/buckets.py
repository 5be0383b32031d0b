"""How a bucket of media is reached: privately, by keys of the environment, without waiting for long."""

import os
from importlib.util import find_spec
from typing import Any

from equipoise.errors import InputError, Problem
from equipoise.platform.workspace import Bucket

__all__ = ["bucket_storage"]

_SECONDS = 3  # whoever waits for a page gets the folder's copy instead
_TRIES = 2


def bucket_storage(said: Bucket) -> dict[str, Any]:
    """An entry of `STORAGES`.

    Args:
        said: as `workspace.yaml` has it.
    Raises:
        InputError: what speaks to buckets is not installed.
    """
    if find_spec("storages") is None or find_spec("boto3") is None:
        message = "needs what speaks to buckets; install it: pip install 'equipoise[s3]'"
        raise InputError(Problem("workspace.yaml", "media", message))
    from botocore.config import Config

    config = Config(
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
        retries={"total_max_attempts": _TRIES},
        s3={"addressing_style": "path"} if said.endpoint else None,
        signature_version="s3v4",
        # Stores other than Amazon's do not all know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": said.bucket,
            "endpoint_url": said.endpoint,
            "region_name": said.region,
            "access_key": os.environ.get(said.key_from),
            "secret_key": os.environ.get(said.secret_from),
            "default_acl": None,
            "file_overwrite": True,
            "client_config": config,
        },
    }
