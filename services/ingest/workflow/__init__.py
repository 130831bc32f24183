"""The pipelines and who runs, triggers and schedules them."""
