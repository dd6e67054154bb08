"""What every service needs, and nothing of our domain.

Admission rule: three services need the identical code, and it has no noun of our domain and no service's name.
"""
