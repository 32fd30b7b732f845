"""Serves the pack to the engine."""

from pack.analyzer import Analyzer, serve
from rules import RULES

# The version that the engine shows is that of PulumiPolicy.yaml; this one stands where that file names none.
serve(Analyzer("eks-load-balancing", "0.0.1", RULES.values()))
