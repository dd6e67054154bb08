"""Where the registry's catalogue is not ours, and mending it.

Deliveries keep both alike. What they cannot know of is found here: a registry's database (or ours) that was restored
from a backup, rows changed by hand, sites that only one side knows.
"""
