"""What all settings have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from drivers.outside.names import clean

MOST_SECONDS = 1e7
"""Of any time that a setting can ask for: some months."""

MOST_SEED = 2**32 - 1
"""What every generator of random numbers takes."""

Name = Annotated[str, AfterValidator(clean)]
"""A text for people: one line of letters, whatever a file has there."""


class Settings(BaseModel):
    """Values that a user can set.

    Keys that do not exist, numbers that are not finite and endless texts are refused. Every
    number has a lower and an upper bound, where it is defined; a test looks for ones without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=4096)
