"""The VPC and its subnets. Nothing here knows of clusters beyond the tags that load balancers' subnets carry."""
