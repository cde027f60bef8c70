"""What all settings, and all else that is read by name from a file, have in common."""

from pathlib import PurePath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

from drivers.outside.names import clean

MOST_SECONDS = 1e7
"""The longest time that a setting can ask for: some months."""

MOST_SEED = 2**32 - 1
"""What every generator of random numbers takes."""

Name = Annotated[str, AfterValidator(clean)]
"""A text for people: one line of letters, whatever a file has there."""


class Checked(BaseModel):
    """Values by name, as a file or a user has them.

    Keys that do not exist and numbers that are not finite are refused. Every number has a lower
    and an upper bound, where it is defined; a test looks for ones without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Settings(Checked):
    """Values that a user can set.

    A number is a text where one is wanted: channels and streams may be called ``1``. Texts
    that are endless or hold NUL, which no file and no library of the system takes, are refused.
    """

    model_config = ConfigDict(str_max_length=4096, coerce_numbers_to_str=True)

    @field_validator("*", mode="before")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        if isinstance(value, str | PurePath) and "\0" in str(value):
            raise ValueError("text without NUL")
        return value
