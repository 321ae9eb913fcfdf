"""An app in a process of its own, on a throw-away database, where it can be looked into.

`stage.py` and what it imports run in our process; `host.py` and what it imports run in the app's.
"""
