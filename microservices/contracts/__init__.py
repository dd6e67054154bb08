"""Wire shapes between services, one file per producer.

Consumers read these models instead of copying field lists; a change here is a change of an interface.
"""
