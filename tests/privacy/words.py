"""What all random visits share: chance, and words with a fate."""

import random
import string
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

T0: Final = 1_795_296_510_000
Json = dict[str, Any]


class Words:
    """A visit of words: `secrets` may show nowhere, `survivors` have to show.

    `privacy` are the settings it is recorded under beside the level, `identity` what its envelopes say of the visitor.
    """

    privacy: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, seed: int, level: str) -> None:
        self.random = random.Random(seed)
        self.level = level
        self.secrets: list[str] = []
        self.survivors: list[str] = []
        self.events: list[Any] = []
        self._t = T0

    @property
    def identity(self) -> Json:
        """Who visits."""
        return {}

    def visit(self, acts: int) -> Self:
        """Make the visit: so many acts."""
        raise NotImplementedError

    def told(self) -> Json:
        """Say what the session runs on, with a secret in whatever may not be said."""
        secret = self.secret
        return {
            "release": self.random.choice(
                ["4.2.0", f"{secret()}@mail.test", f"<{secret()}>", f"{secret()} 555 123 4567"]
            ),
            "browser": f"Mozilla/5.0 ({secret()}) Chrome/126",
            "os": [secret()],
            "country": secret(),
            "device": secret(),
            secret(): secret(),
            "email": f"{secret()}@mail.test",
        }

    def chance(self, share: float) -> bool:
        """Decide by lot."""
        return self.random.random() < share

    def word(self) -> str:
        """Make a word that is nowhere else."""
        return "zq" + "".join(self.random.choices(string.ascii_lowercase, k=12))

    def secret(self) -> str:
        """Plant a secret."""
        self.secrets.append(self.word())
        return self.secrets[-1]

    def plant(self, fate: bool | None) -> str:  # noqa: FBT001  # three fates: stay, go, either
        """Plant a word with this fate."""
        if fate is False:
            return self.secret()
        word = self.word()
        if fate:
            self.survivors.append(word)
        return word

    def strict(self) -> bool | None:
        """The fate of what is shown at the light level only."""
        return None if self.level == "light" else False

    def page_text(self) -> bool:
        """The fate of an ordinary text of a page."""
        return self.level != "conservative"

    def later(self) -> int:
        """Return a time after the last one."""
        self._t += self.random.choice([5, 40, 300])
        return self._t
