"""The language model that settings name."""

from engine.settings import Settings
from replay.summary.model import Rephraser, load_model


def chosen_rephraser(settings: Settings) -> Rephraser | None:
    """Load the language model of the settings, if they name one. Raises ModelError if it can't be used."""
    chosen = settings.summary
    if not chosen.model:
        return None
    function = load_model(chosen.model, chosen.model_options)
    return Rephraser(chosen.model, function, timeout_ms=chosen.model_timeout_ms, max_chars=chosen.model_max_chars)
