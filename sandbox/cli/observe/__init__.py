"""The commands that show what a running sandbox does: the command line of `sandbox.observe`, and of `network.trace`."""
