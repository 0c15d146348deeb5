"""The settings of every runtime: declared once, read from a file and variables, wrong ones reported together."""

from engine.settings._alerts_section import AlertsSettings
from engine.settings._kafka_section import KafkaSettings
from engine.settings._load import ResolvedSettings, load_settings, resolve_settings
from engine.settings._problems import SettingsError, SettingsProblem
from engine.settings._reader import SelectorCheck
from engine.settings._reference import SettingRow, describe, reference_document
from engine.settings._render import render
from engine.settings._sections import (
    ActivitySettings,
    KeepSettings,
    LimitSettings,
    OrderSettings,
    PrivacyLevel,
    PrivacyRule,
    PrivacySettings,
    ProjectSettings,
    SessionSettings,
    Settings,
    StoreSettings,
)
from engine.settings._serve_section import ServeSettings
from engine.settings._summary_section import SummarySettings
from engine.settings._worker_section import WorkerSettings

__all__ = [
    "ActivitySettings",
    "AlertsSettings",
    "KafkaSettings",
    "KeepSettings",
    "LimitSettings",
    "OrderSettings",
    "PrivacyLevel",
    "PrivacyRule",
    "PrivacySettings",
    "ProjectSettings",
    "ResolvedSettings",
    "SelectorCheck",
    "ServeSettings",
    "SessionSettings",
    "SettingRow",
    "Settings",
    "SettingsError",
    "SettingsProblem",
    "StoreSettings",
    "SummarySettings",
    "WorkerSettings",
    "describe",
    "load_settings",
    "reference_document",
    "render",
    "resolve_settings",
]
