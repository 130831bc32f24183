"""What the console makes of messages, its sessions, and what it refuses."""
