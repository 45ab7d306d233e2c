"""Who chooses a lesson's expressions: the dictionary, or a model that is asked over HTTP."""
