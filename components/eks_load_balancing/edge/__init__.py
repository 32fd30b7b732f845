"""What stands around load balancers: a bucket for their access logs, certificates, names in DNS."""
