"""The sandbox of a plan: AWS, one cluster and the real controller, in a folder of its own that goes with the plan."""
