"""Sessions and launches under way, in the memory of this process.

A restart ends them: the doctor opens the page again from the record.  Cookies carry random names
only; a session is kept under the hash of its name.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field, replace

from assistant.interop.smart.provider import Endpoints
from assistant.work.roles import Role

LAUNCH_SECONDS = 600.0
MOST_LAUNCHES = 10_000
MOST_SESSIONS = 10_000


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
    ``until`` and ``most`` are of the process's clock: when the access ends, and when it ends for
    good.
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
        own = ((self.patient_id, self.encounter_id), *self.opened)
        return any(
            patient_id == patient and (not encounter_id or not stay or encounter_id == stay)
            for patient, stay in own
        )


class Sessions:
    """All sessions and launches of a process."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
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
        """Keep a session; the value of its cookie."""
        name = secrets.token_urlsafe(32)
        with self._lock:
            _drop(self._sessions, MOST_SESSIONS)
            self._sessions[_key(name)] = session
        return name

    def find(self, name: str) -> Session | None:
        """The session, also one whose access has ended and may be refreshed; None after `most`."""
        with self._lock:
            session = self._sessions.get(_key(name))
            if session is not None and session.most < time.monotonic():
                del self._sessions[_key(name)]
                return None
            return session

    def change(self, name: str, session: Session) -> None:
        """Put a changed session in the place of the one that is there; one that ended stays so."""
        with self._lock:
            if _key(name) in self._sessions:
                self._sessions[_key(name)] = session

    def open_also(self, name: str, patient_id: str, encounter_id: str) -> Session | None:
        """Add a patient that was opened in an emergency."""
        with self._lock:
            session = self._sessions.get(_key(name))
            if session is None:
                return None
            session = replace(session, opened=(*session.opened, (patient_id, encounter_id)))
            self._sessions[_key(name)] = session
            return session

    def close(self, name: str) -> Session | None:
        """End a session."""
        with self._lock:
            return self._sessions.pop(_key(name), None)


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _drop(kept: dict[str, Launch] | dict[str, Session], most: int) -> None:
    """Make room: the oldest go first."""
    while len(kept) >= most:
        kept.pop(next(iter(kept)))
