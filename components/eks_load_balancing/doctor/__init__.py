"""The doctor: what is wrong with load balancing on a live cluster, and how to mend it. It reads, and changes nothing.

    python -m eks_load_balancing.doctor --cluster NAME

Facts are gathered once (`aws`, `cluster`) into one frozen `facts.Facts`. Every check is a pure function of them
(`checks`), and so is the picture of the way from a DNS name to a pod (`ways`). `report` and `cli` show both.

It needs more than the components do: `pip install 'eks-load-balancing[doctor]'`.
"""
