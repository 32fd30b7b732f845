"""Rules about the installation of the AWS Load Balancer Controller."""
