"""Every number that a file or a user can name has a finite lower and an upper bound."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from drivers.varioport.profile import Profile
from drivers.varioport.transport.capture_file import CaptureHeader
from models.manifest import Manifest
from streamer.config import Config, ConfigError, load_config


def numbers_of(
    schema: dict[str, Any], definitions: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Walk a JSON schema, and give each number that it has, by its key."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if schema.get("type") in ("number", "integer") and "enum" not in schema:
        yield path, schema
    for kind in ("anyOf", "allOf", "prefixItems"):
        for one in schema.get(kind, ()):
            yield from numbers_of(one, definitions, path)
    for kind in ("items", "additionalProperties"):
        if isinstance(schema.get(kind), dict):
            yield from numbers_of(schema[kind], definitions, f"{path}[]")
    for key, one in schema.get("properties", {}).items():
        yield from numbers_of(one, definitions, f"{path}.{key}" if path else key)


def numbers(model: type[BaseModel]) -> list[tuple[str, Any]]:
    schema = model.model_json_schema()
    return list(numbers_of(schema, schema.get("$defs", {})))


CASES = [
    pytest.param(number, id=f"{model.__name__}.{key}")
    for model in (Config, Manifest, Profile, CaptureHeader)
    for key, number in numbers(model)
]


@pytest.mark.parametrize("number", CASES)
def test_every_number_has_a_lower_and_an_upper_bound(number: dict[str, Any]) -> None:
    """A wild one would end in a traceback, or in all of the memory, long after the start."""
    assert {"minimum", "exclusiveMinimum"} & set(number)
    assert {"maximum", "exclusiveMaximum"} & set(number)


@pytest.mark.parametrize("value", ["-1e300", "1e300", ".nan", ".inf", "-7", "9" * 5000, "[1]"])
@pytest.mark.parametrize("key", sorted({key for key, _ in numbers(Config)}))
def test_a_setting_out_of_bounds_is_one_line(key: str, value: str) -> None:
    """A user would not know which of two hundred settings is wrong."""
    if key == "audio.device" and value not in ("-7", "[1]"):
        return  # a card may have any name
    with pytest.raises(ConfigError) as caught:
        load_config(assignments=[f"{key}={value}"])
    line = str(caught.value)
    assert key in line
    assert len(line) < 1000
