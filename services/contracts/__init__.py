"""What two services agree on beyond RPC; pure."""
