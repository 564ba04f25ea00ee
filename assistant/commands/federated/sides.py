"""A coordinator, and a site, from what the commands were given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assistant.commands.checkpoint import say
from assistant.commands.live_line import live_line

if TYPE_CHECKING:
    from assistant.training.federated.party import Party
    from assistant.training.federated.rounds import Begin, Federation


@dataclass(frozen=True, slots=True)
class Coordinating:
    """How the rounds go; ``clip`` and ``noise`` as options of the command."""

    key: Path
    sites: Path
    out: Path
    host: str
    port: int
    least: int
    wait: float
    patience: float
    bound: float
    rounds: int
    clip: float
    noise: float

    def __post_init__(self) -> None:
        """Raise `BadParameter` where the options do not go together."""
        if self.noise and not self.clip:
            raise typer.BadParameter("--noise needs --clip")

    def run(self, begin: Begin, base: str = "") -> Federation:
        """Serve until the training is over."""
        from assistant.training.federated import keys
        from assistant.training.federated.averaging import Privacy
        from assistant.training.federated.members import Rules
        from assistant.training.federated.privacy import epsilon
        from assistant.training.federated.rounds import Federation
        from assistant.training.federated.server import Coordinator, serve

        allowed = keys.allowed(self.sites)
        least = min(self.least, len(allowed))
        rules = Rules(tuple(allowed), least, self.wait, self.patience, self.bound, base)
        privacy = Privacy(self.clip, self.noise) if self.clip else None
        federation = Federation(rules, self.out, begin, privacy)
        certificate = self.key.with_suffix(".pem")
        context = keys.context(True, certificate, self.key, list(allowed.values()))
        place = (self.host, self.port)
        coordinator = Coordinator(place, context, keys.prints(allowed), federation)
        say(f"https://{self.host}:{coordinator.server_address[1]}  {', '.join(allowed)}")
        if privacy is not None:
            spent = epsilon(self.noise, self.rounds)
            say(f"差分隐私 differential privacy, a site as the unit: ε = {spent:.3g}, δ = 1e-05")
        with live_line() as tell:
            serve(coordinator, tell)
        for one in federation.history:
            for name, why in one.refused.items():
                say(f"第 {one.number} 轮 round {one.number}: {name}: {why}")
        return federation


def take_part(
    address: str,
    key: Path,
    coordinator: Path,
    party: Party,
    out: Path,
    *,
    patience: float,
    pause: float,
) -> Path:
    """Take part with ``party`` until the training is over: the folder of the common model."""
    from assistant.training.federated import site
    from assistant.training.federated.keys import context

    line = site.Line(address, context(False, key.with_suffix(".pem"), key, [coordinator]), patience)
    with live_line() as tell:
        made = site.take_part(line, party, out, tell, pause=pause)
    if made.refused:
        say(
            f"本站点有 {made.refused} 轮被拒绝。({made.refused} updates of this site were refused.)"
        )
    return made.folder
