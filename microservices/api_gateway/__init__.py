"""The one front door: routing, log-in check, rate limits, access log, merged docs."""
