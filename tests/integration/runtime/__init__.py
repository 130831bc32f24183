"""The runtime over real sockets, files and object stores."""
