"""AWS requests and errors as they travel: the request that arrives, its signature, the forms of an error."""
