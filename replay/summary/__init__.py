"""The summary of a session: a deterministic account of what happened, each sentence tied to its evidence."""

from replay.summary.account import summarize
from replay.summary.types import FrictionPoint, Rephrased, Sentence, Summary

__all__ = ["FrictionPoint", "Rephrased", "Sentence", "Summary", "summarize"]
