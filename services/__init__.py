"""The services. None imports another: they meet in the database, the queues and the object store."""
