"""How fast payments come from a source into Parquet: beside reading page by page with requests and pandas."""
