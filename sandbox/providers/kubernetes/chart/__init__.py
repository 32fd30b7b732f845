"""The chart `aws-load-balancer-controller` 3.5.0, rendered without Helm: from its values to its objects.

The chart's repository cannot be reached from a machine without internet. What is here says the same as the chart's
templates in words of our own; `values` knows every key of the chart and refuses any other.
"""

from sandbox.providers.kubernetes.chart.render import CHART, CHARTS, NEWEST, REPOSITORY, Release, render

__all__ = ["CHART", "CHARTS", "NEWEST", "REPOSITORY", "Release", "render"]
