"""The doctor: what is wrong with load balancing on a live cluster, and how to fix it. It only reads.

    python -m eks_load_balancing.doctor --cluster NAME

`gather` reads the facts once (`aws`, `kube`) into one frozen `facts.Facts`. Every check is a pure function of them
(`checks`), and so is the picture of the path from a DNS name to a pod (`ways`). `report` and `cli` show both.

It needs more packages than the components do: `pip install 'eks-load-balancing[doctor]'`.
"""
