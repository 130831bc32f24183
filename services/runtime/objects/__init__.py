"""Object storage behind one small port: a local folder or any S3."""
