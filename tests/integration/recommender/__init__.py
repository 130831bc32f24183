"""The recommender over real sockets, files and object stores."""
