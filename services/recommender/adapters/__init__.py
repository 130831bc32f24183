"""The bundle as the recommender sees it."""
