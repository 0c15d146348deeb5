"""Why there is no export. The texts are for people, and say what to do."""


class ExportError(Exception):
    """Root of what an export raises; raised only as one of those below."""


class NothingToShow(ExportError):
    """The range has no page to start from."""


class TooLarge(ExportError):
    """The range is larger than an export may be."""


class NotInstalled(ExportError):
    """What films are made with is not on this machine."""


class TooSlow(ExportError):
    """A film took longer than it may."""


class FilmFailed(ExportError):
    """A film could not be made."""
