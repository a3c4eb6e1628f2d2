"""The one place where services meet adapters; nothing else makes an adapter.

adapters.py makes the adapters of a server, services.py the services over them, each noun's in a
file of its own. common.py and monitor.py make the part of them that the daemons need, without
importing the rest.
"""
