"""One file a revision; forward only: what a revision made is changed by the next one."""
