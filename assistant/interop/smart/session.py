"""Sessions, in the store, and launches under way, in the memory of this process.

A restart ends no session; a launch that is under way then begins again.  Cookies carry random
names only; a session is kept under the hash of its name.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from assistant.interop.smart.provider import Endpoints
from assistant.store.context import is_within
from assistant.store.smart_sessions import SmartSessions
from assistant.work.roles import Role

LAUNCH_SECONDS = 600.0
MOST_LAUNCHES = 10_000


@dataclass(frozen=True, slots=True)
class Launch:
    """A doctor who was sent to log in; ``browser`` ties the answer to the same browser."""

    base: str
    nonce: str
    verifier: str
    browser: str
    redirect: str
    until: float


@dataclass(frozen=True, slots=True)
class Session:
    """A logged-in doctor with one patient.

    ``opened`` are patients that the doctor opened in an emergency, each with its encounter;
    ``until`` and ``most`` are seconds since 1970: when the access ends, and when it ends for good.
    """

    actor_id: str
    role: Role
    base: str
    patient_id: str
    encounter_id: str
    until: float
    most: float
    endpoints: Endpoints
    subject: str = ""
    refresh_token: str = field(default="", repr=False)
    opened: tuple[tuple[str, str], ...] = ()

    def may_see(self, patient_id: str, encounter_id: str) -> bool:
        """Whether the patient, and the stay where one is named, is the session's."""
        return is_within(self.patients, patient_id, encounter_id)

    @property
    def patients(self) -> tuple[tuple[str, str], ...]:
        """All patients that the session is for, that of the launch first, each with its stay."""
        return ((self.patient_id, self.encounter_id), *self.opened)

    def as_record(self) -> dict[str, Any]:
        """As the store keeps it."""
        return asdict(self)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Session:
        """What `as_record` kept."""
        opened = tuple((str(patient), str(stay)) for patient, stay in record["opened"])
        endpoints = Endpoints(**record["endpoints"])
        return cls(**{**record, "opened": opened, "endpoints": endpoints})


class Sessions:
    """The sessions of a store, and the launches of this process; without a store only these."""

    def __init__(self, store: SmartSessions | None = None) -> None:
        self._store = store
        self._launches: dict[str, Launch] = {}
        self._lock = threading.Lock()

    def begin(self, base: str, redirect: str) -> tuple[str, Launch]:
        """(state, launch) of a doctor who is sent to log in."""
        state = secrets.token_urlsafe(32)
        launch = Launch(
            base,
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(64),
            secrets.token_urlsafe(32),
            redirect,
            time.monotonic() + LAUNCH_SECONDS,
        )
        with self._lock:
            _drop(self._launches, MOST_LAUNCHES)
            self._launches[_key(state)] = launch
        return state, launch

    def come_back(self, state: str, browser: str) -> Launch | None:
        """The launch of a state, once; None where that is old, used, or of another browser."""
        with self._lock:
            launch = self._launches.pop(_key(state), None)
        if launch is None or launch.until < time.monotonic():
            return None
        return launch if secrets.compare_digest(launch.browser, browser) else None

    def open(self, session: Session) -> str:
        """Keep a session; the value of its cookie.  Blocks on the store, as all below."""
        name = secrets.token_urlsafe(32)
        until = datetime.fromtimestamp(session.most, UTC)
        self._kept().put(name, session.as_record(), until)
        return name

    def find(self, name: str) -> Session | None:
        """The session, also one whose access has ended and may be refreshed; None after `most`."""
        record = self._kept().find(name) if name else None
        return None if record is None else Session.of_record(record)

    def change(self, name: str, session: Session) -> None:
        """Put a changed session in the place of the one that is there; one that ended stays so."""
        self._kept().change(name, session.as_record())

    def open_also(self, name: str, patient_id: str, encounter_id: str) -> Session | None:
        """Add a patient that was opened in an emergency."""
        session = self.find(name)
        if session is None:
            return None
        session = replace(session, opened=(*session.opened, (patient_id, encounter_id)))
        self.change(name, session)
        return session

    def close(self, name: str) -> Session | None:
        """End a session."""
        record = self._kept().end(name) if name else None
        return None if record is None else Session.of_record(record)

    def _kept(self) -> SmartSessions:
        if self._store is None:
            raise RuntimeError("sessions need a store")
        return self._store


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _drop(kept: dict[str, Launch], most: int) -> None:
    """Make room: the oldest go first."""
    while len(kept) >= most:
        kept.pop(next(iter(kept)))
