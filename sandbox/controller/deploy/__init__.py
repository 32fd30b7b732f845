"""From the stack that should exist to AWS: observe by tags, compare, change what differs and carries our tags."""
