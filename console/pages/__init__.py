"""One module a page: reads what it needs from the services, and hands it to a template."""
