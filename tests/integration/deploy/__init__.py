"""What deployment leans on, against real servers."""
