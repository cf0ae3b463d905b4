"""Training jobs and schedules over HTTP."""
