"""What is carried out on the host itself: one file of standard-library Python, from 3.9 on.

It is sent along, started apart from the connection, and ends a deploy, or goes back, whether
anybody is still there or not. It imports nothing else of slipway; the other rooms take from here
what both sides must see alike: what a container is, and when a service is well.
"""
