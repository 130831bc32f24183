"""Publishers in processes of their own who race for epochs."""
