"""Who may call what: roles, API keys and certificates, what is asked at the door, and what is written down of it."""
