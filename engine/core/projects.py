"""What the core derives once from a project's settings."""

from collections.abc import Mapping

from detectors.settings import DetectorSettings
from engine.core.panel import Wishes
from engine.masking.policy import Policy
from engine.plugins import load_plugins
from engine.settings import ProjectSettings, SessionSettings, Settings


class Project:
    """A project's settings in the form the hot path uses; `policy_type` makes its policy."""

    __slots__ = ("_beside", "detectors", "excluded_users", "plugins", "policy", "session", "wishes")

    def __init__(self, settings: ProjectSettings, policy_type: type[Policy] = Policy) -> None:
        privacy = settings.privacy
        self.policy = policy_type(
            level=privacy.level,
            mask=privacy.mask,
            unmask=privacy.unmask,
            block=privacy.block,
            rules=[(rule.url, rule.level) for rule in privacy.rules],
            key=privacy.identifier_secret.encode() or None,
            hash_identifiers=privacy.hash_identifiers,
            echo=privacy.echo,
            custom_events=settings.activity.custom_events,
        )
        self.excluded_users = frozenset(privacy.exclude_users)
        self.detectors: DetectorSettings = settings.detectors
        self.wishes = Wishes(settings.detectors)
        self.session: SessionSettings = settings.session
        self.plugins = load_plugins(settings.detectors.plugins)
        self._beside = frozenset(settings.detectors.chosen_presets) - {settings.detectors.main_preset}

    def scores(self, rule: str) -> bool:
        """Tell whether signals of a rule (`preset/detector@version`) make tags and score: not those of side presets."""
        return rule.partition("/")[0] not in self._beside


class Projects:
    """Projects by id; those without settings of their own share one.

    Raises SelectorError or PolicyError if selectors or rules can't be used together, PluginError if a plugin that
    settings name can't be used.
    """

    def __init__(self, settings: Settings, policy_type: type[Policy] = Policy) -> None:
        self._settings = settings
        self._default = Project(settings, policy_type)
        self._own: Mapping[str, Project] = {
            project_id: Project(settings.for_project(project_id), policy_type) for project_id in settings.projects
        }

    def of(self, project_id: str) -> Project:
        """Return a project, the default one for ids without settings."""
        return self._own.get(project_id, self._default)


def known_as(settings: Settings, project_id: str, user: str) -> list[str]:
    """List the ids a user of a project (`""`: of any) may be stored under: as sent, and as projects hash it."""
    projects = Projects(settings)
    ids = [project_id] if project_id else ["", *settings.projects]
    hashed = (projects.of(each).policy.identity(user) or "" for each in ids)
    return list(dict.fromkeys([user, *filter(None, hashed)]))
