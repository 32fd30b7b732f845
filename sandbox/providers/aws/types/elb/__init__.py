"""Resource types of load balancers and target groups."""
