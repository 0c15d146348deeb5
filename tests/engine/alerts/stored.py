"""What a store has of a project."""

from engine.alerts.parts import Parts


class Stored:
    """Parts by their names, brought up to date by what has changed."""

    def __init__(self) -> None:
        self.parts: dict[bytes, bytes] = {}

    def save(self, parts: Parts) -> int:
        stored, gone = parts.changes()
        self.parts |= stored
        for name in gone:
            self.parts.pop(name, None)
        return len(stored)
