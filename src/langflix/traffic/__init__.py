"""Every kind of traffic that a stack gets, at a steady pace, and an exact count of what failed.

``langflix load`` tells how fast answers are while workers are busy; this tells whether anything at
all is lost while the stack is changed under its users' hands.

* ``count``: pure; what became of requests, and the figures of a run
* ``lessons``: pure; what became of jobs
* ``kinds``: pure; what is sent, how often, and what a right answer is
* ``ask``: one request
* ``pace``: many requests, each when it is due
* ``site``: the API as the load itself uses it
* ``run``: all of it, against a stack
"""
