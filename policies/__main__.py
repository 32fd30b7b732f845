"""Serves the pack to the engine."""

from pack.analyzer import Analyzer, serve
from rules import RULES

# The engine shows the version in PulumiPolicy.yaml; it uses this one if that file has none.
serve(Analyzer("eks-load-balancing", "0.0.1", RULES.values()))
