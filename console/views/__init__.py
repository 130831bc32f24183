"""What templates show, made from messages: pure functions, values in, values out."""
