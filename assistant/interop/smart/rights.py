"""Who a doctor is here, from the claims of the log-in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast, get_args

from assistant.interop.smart.problem import LaunchRefused
from assistant.work.roles import CLINICAL_ROLES, Role

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def user_id(claims: Mapping[str, Any]) -> str:
    """The id of ``fhirUser`` (``…/Practitioner/d7`` → ``d7``), else ``sub``.

    Raises `LaunchRefused` where neither can be an id.
    """
    fhir_user = claims.get("fhirUser")
    own = fhir_user.rpartition("/")[2] if isinstance(fhir_user, str) else ""
    for value in (own, claims.get("sub")):
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
    raise LaunchRefused("登录凭证没有可用的用户编号。(The log-in has no usable user id.)")


def role(claims: Mapping[str, Any], claim: str, roles: Mapping[str, str]) -> Role:
    """The role that the table gives for the claim; of several the first in the table.

    Raises `LaunchRefused` for who has none: there is no role by default.
    """
    value = claims.get(claim)
    listed = value if isinstance(value, list) else [value]
    held = {one for one in listed if isinstance(one, str)}
    for name, given in roles.items():
        if name in held and given in get_args(Role) and given in CLINICAL_ROLES:
            return cast(Role, given)
    raise LaunchRefused(
        "您的账号没有使用本系统的权限，请联系管理员授予角色。"
        "(Your account may not use this; ask the administrator for a role.)"
    )
