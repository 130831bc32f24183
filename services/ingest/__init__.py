"""Takes payments and companies from the source into the lake, and runs the pipelines."""
