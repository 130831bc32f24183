"""PostgreSQL and Parquet as the warehouse sees them."""
