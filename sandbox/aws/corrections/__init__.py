"""What moto does otherwise than AWS, put right: one subject a module, each with the AWS page that says so."""


def install() -> None:
    """Put everything right, once, before the first call."""
