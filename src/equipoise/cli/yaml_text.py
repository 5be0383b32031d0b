"""Plain data as YAML, in the order given."""

import io
from collections.abc import Mapping
from typing import Any

__all__ = ["yaml_text"]


def yaml_text(data: Mapping[str, Any]) -> str:
    """The data as block YAML in lines of up to a hundred characters."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(dict(data), text)
    return text.getvalue()
