"""What all small records in the object store have in common."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Stored(BaseModel):
    """Immutable. A field that it does not know is a later release's, and left out (docs/upgrades.md)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        """As it is stored: the same values give the same bytes."""
        return self.model_dump_json(indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Self:
        """What was stored under `name`; ValueError in one line that names it and the first field that is wrong."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ValueError(f"{name} is not a {cls.__name__}: {place or 'content'}: {first['msg']}") from error
