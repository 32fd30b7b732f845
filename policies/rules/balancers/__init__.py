"""Rules about load balancers, and about what asks for them."""
