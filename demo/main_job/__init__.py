"""The main job as a user runs it: both pipelines, watched, with their figures."""
