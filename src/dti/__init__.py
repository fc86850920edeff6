"""The DTI warehouse: from agency systems to the eight pillar indices.

Rooms, in the order data passes them; imports run the other way and never back:
``feeds`` → ``sources`` → ``landing`` → ``gate`` → ``lake`` → ``rollup`` → ``warehouse`` → ``index`` → ``cli``.
"""
