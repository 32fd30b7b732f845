"""Which actions on which resources a call needs, with which condition keys. Pure."""
