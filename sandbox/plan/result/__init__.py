"""What comes of a plan: documents of what there is, what differs between two, and words for people. Pure."""
