"""How many probes the operating system lets this process have open."""

import resource

_CONNECTIONS_PER_PROBE = 2
_KEPT_FOR_OTHERS = 512


def allow_probes(wanted: int) -> int:
    """As many of `wanted` probes as files may be open, once as many are allowed as this process may allow itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted * _CONNECTIONS_PER_PROBE + _KEPT_FOR_OTHERS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (soft - _KEPT_FOR_OTHERS) // _CONNECTIONS_PER_PROBE))
