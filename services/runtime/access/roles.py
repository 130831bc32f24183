"""Roles, each of which may do what those below it may, and the one that an RPC needs.

read: ask for recommendations, records and figures. operate: run and repeat work, read a client's payments. admin: take
away for good, choose what clients are shown, and override a safety check.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """Ordered: a greater one includes the smaller."""

    READ = 1
    OPERATE = 2
    ADMIN = 3


ROLE_NAMES = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Rpc:
    """What a method needs; with one of `admin_fields` set in its request, it needs admin."""

    role: Role
    admin_fields: tuple[str, ...] = ()

    def needs(self, request: object) -> Role:
        """The role for this very request."""
        if self.admin_fields and any(getattr(request, field, None) for field in self.admin_fields):
            return Role.ADMIN
        return self.role

    @property
    def is_audited(self) -> bool:
        """Whether each of its calls is written down."""
        return self.role > Role.READ or bool(self.admin_fields)


READ = Rpc(Role.READ)
OPERATE = Rpc(Role.OPERATE)
ADMIN = Rpc(Role.ADMIN)
# By name of the method, one table a service. A method that nobody thought of is admin's.
Rpcs = Mapping[str, Rpc]
