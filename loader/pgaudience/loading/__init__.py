"""Loading activity: COPY into staging tables, set-based SQL after it, all in one transaction."""
