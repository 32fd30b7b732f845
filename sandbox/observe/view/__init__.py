"""The sandbox on a page: what the controller watches, what it calls, what it provisions, the way of a request.

items       how a thing is listed on the page
watches     Kubernetes objects as items, and their events as lines (pure)
calls       what was asked of AWS, as items (pure)
provisions  load balancers and target groups as items (pure)
paths       the ways to a pod, hop by hop, from what the APIs say or from a trace (pure)
picture     the whole, from client to pods, and whether requests arrive (pure)
board       the sections of the page, and who waits for them to change
follow      follows a cluster's watches, and AWS's changes, onto the board
server      the page, on loopback
page/       the page itself: HTML, CSS and JavaScript as they are served
"""
