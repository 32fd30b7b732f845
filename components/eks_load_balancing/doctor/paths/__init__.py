"""The path from a DNS name to a pod, hop by hop, and what can break each hop. Pure functions of facts."""
