"""Whether this installation runs compiled code. It decides the same either way; compiled, it is quicker."""

from importlib.machinery import ExtensionFileLoader

from detectors import measuring


def is_compiled() -> bool:
    """Tell whether the modules that `pyproject.toml` lists for compiling are compiled: all of them are, or none is."""
    return isinstance(measuring.__spec__.loader, ExtensionFileLoader)
