"""The suite in containers: what compose.yaml describes, run by podman, asked, and stopped under load."""
